// The buffers of a TorchScript module (batch norm's running statistics), which tch does not hand out.
#include <torch/script.h>

// Calls `take` with the name and a new reference to each buffer; returns 0, or 1 when libtorch threw.
extern "C" int hybridrepair_named_buffers(torch::jit::script::Module *module, void *data,
                                          void (*take)(void *, const char *, torch::Tensor *)) {
  try {
    for (const auto &buffer : module->named_buffers()) {
      take(data, buffer.name.c_str(), new torch::Tensor(buffer.value));
    }
    return 0;
  } catch (...) {
    return 1;
  }
}
