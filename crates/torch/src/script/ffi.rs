//! The one call that goes around tch: a module's buffers.

use crate::TorchError;
use libc::{c_char, c_int, c_void};
use std::ffi::CStr;
use tch::{CModule, Tensor};
use torch_sys::C_tensor;

/// libtorch's module behind [`CModule`], which is nothing but a pointer to it.
#[repr(C)]
struct ScriptModule {
    _private: [u8; 0],
}

#[expect(unsafe_code, reason = "declaration of the function in cpp/buffers.cpp")]
unsafe extern "C" {
    fn hybridrepair_named_buffers(
        module: *const ScriptModule,
        data: *mut c_void,
        take: extern "C" fn(*mut c_void, *const c_char, *mut C_tensor),
    ) -> c_int;
}

#[expect(unsafe_code, reason = "called from C++ with what `named_buffers` passes")]
extern "C" fn take(data: *mut c_void, name: *const c_char, tensor: *mut C_tensor) {
    // SAFETY: `data` is the vector of `named_buffers`, alive and not borrowed during the call; `name` ends with 0;
    // `tensor` is a new reference that is ours from here on
    unsafe {
        let found = &mut *data.cast::<Vec<(String, Tensor)>>();
        found.push((CStr::from_ptr(name).to_string_lossy().into_owned(), Tensor::from_ptr(tensor)));
    }
}

/// The buffers of a module by name; the tensors share its memory.
///
/// # Errors
/// When libtorch cannot list them.
pub(super) fn named_buffers(module: &CModule) -> Result<Vec<(String, Tensor)>, TorchError> {
    const { assert!(size_of::<CModule>() == size_of::<*const ScriptModule>()) };
    let mut found: Vec<(String, Tensor)> = Vec::new();
    #[expect(unsafe_code, reason = "tch keeps the pointer to itself")]
    // SAFETY: a `CModule` is one pointer to a live module (its size is checked above); the callback only fills `found`
    let code = unsafe {
        let pointer = std::ptr::from_ref(module).cast::<*const ScriptModule>().read();
        hybridrepair_named_buffers(pointer, (&raw mut found).cast(), take)
    };
    if code == 0 {
        Ok(found)
    } else {
        Err(TorchError::Mismatch("libtorch cannot list the module's buffers".to_owned()))
    }
}
