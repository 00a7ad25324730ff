use super::{ScriptFacts, ffi::named_buffers};
use crate::{Params, TorchError, model::Output};
use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};
use tch::{CModule, Device, IValue, Kind, Tensor};

/// A scripted module whose `forward` gives logits or `(logits, features)`, or which has a method `features`.
///
/// Where it tells no features its logits stand for them.
pub(crate) struct Script {
    /// The module, and whether it is in train mode.
    module: RwLock<(CModule, bool)>,
    gives: Gives,
    archive: Arc<Archive>,
    /// Number of classes.
    pub(crate) classes: usize,
    /// Length of the feature vector.
    pub(crate) features: usize,
}

/// The file as it was read, from which twins of the module are made.
#[derive(Debug)]
pub(crate) struct Archive {
    path: PathBuf,
    bytes: Vec<u8>,
    input: [usize; 2],
}

/// Where logits and features come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gives {
    Logits,
    Both,
    LogitsAndMethod,
}

impl Archive {
    /// Reads a file of `torch.jit.save`; `input` is the height and width of the pictures that it will see.
    pub(crate) fn read(path: &Path, input: [usize; 2]) -> Result<Arc<Self>, TorchError> {
        let bytes = fs::read(path).map_err(|source| TorchError::Io { path: path.to_owned(), source })?;
        Ok(Arc::new(Self { path: path.to_owned(), bytes, input }))
    }
}

impl Script {
    /// Loads the module and asks it about two black pictures.
    pub(crate) fn load(archive: &Arc<Archive>, device: Device) -> Result<(Self, Params), TorchError> {
        let wrong = |why: String| TorchError::Script { path: archive.path.clone(), why };
        let module = CModule::load_data_on_device(&mut archive.bytes.as_slice(), device)
            .map_err(|e| wrong(format!("it is no TorchScript module: {}", first_line(&e))))?;
        let params = params(&module).map_err(&wrong)?;
        let mut script = Self {
            module: RwLock::new((module, true)),
            gives: Gives::Logits,
            archive: Arc::clone(archive),
            classes: 0,
            features: 0,
        };
        let [h, w] = archive.input;
        let black = Tensor::zeros([2, 3, h as i64, w as i64], (Kind::Float, device));
        let (gives, out) = tch::no_grad(|| script.ask(&black)).map_err(&wrong)?;
        let length = |what: &str, t: &Tensor| match t.size()[..] {
            [2, n] if n > 0 && t.kind() == Kind::Float => Ok(n as usize),
            _ => {
                Err(wrong(format!("to two {h} x {w} pictures its {what} have shape {:?} of {:?}", t.size(), t.kind())))
            }
        };
        (script.classes, script.features) = (length("logits", &out.logits)?, length("features", &out.features)?);
        script.gives = gives;
        for n in [1, 3] {
            let pictures = Tensor::zeros([n, 3, h as i64, w as i64], (Kind::Float, device));
            let answer = tch::no_grad(|| script.try_forward(&pictures, false));
            let rows = answer.map_err(|e| wrong(first_line_of(&e.to_string())))?.logits.size()[0];
            if rows != n {
                return Err(wrong(format!(
                    "to {n} pictures it gives {rows} rows of logits: it was made for another number"
                )));
            }
        }
        Ok((script, params))
    }

    /// What this module was read from.
    pub(crate) fn archive(&self) -> &Arc<Archive> {
        &self.archive
    }

    /// Finds out what the module gives, in eval mode.
    fn ask(&self, x: &Tensor) -> Result<(Gives, Output), String> {
        self.with(false, |module| {
            let said = module.forward_is(&[IValue::Tensor(x.shallow_clone())]).map_err(|e| first_line(&e))?;
            match said {
                IValue::Tensor(logits) => match module.method_ts("features", &[x.shallow_clone()]) {
                    Ok(features) => Ok((Gives::LogitsAndMethod, Output { logits, features })),
                    Err(e) if e.to_string().contains("'features' is not defined") => {
                        Ok((Gives::Logits, Output { features: logits.shallow_clone(), logits }))
                    }
                    Err(e) => Err(format!("its method features fails: {}", first_line(&e))),
                },
                IValue::Tuple(parts) => match <[IValue; 2]>::try_from(parts) {
                    Ok([IValue::Tensor(logits), IValue::Tensor(features)]) => {
                        Ok((Gives::Both, Output { logits, features }))
                    }
                    _ => Err("its forward gives a tuple that is not (logits, features)".to_owned()),
                },
                _ => Err("its forward gives neither logits nor (logits, features)".to_owned()),
            }
        })
    }

    /// As [`crate::Model::forward`].
    pub(crate) fn forward(&self, x: &Tensor, train: bool) -> Output {
        // as libtorch's own operators of tch, which cannot fail but for want of memory
        self.try_forward(x, train).expect("a module that has answered one, two and three pictures before")
    }

    fn try_forward(&self, x: &Tensor, train: bool) -> Result<Output, TorchError> {
        let other = |what: &str| TorchError::Script { path: self.archive.path.clone(), why: what.to_owned() };
        self.with(train, |module| {
            let said = match self.gives {
                Gives::Both => module.forward_is(&[IValue::Tensor(x.shallow_clone())])?,
                _ => IValue::Tensor(module.forward_ts(&[x.shallow_clone()])?),
            };
            Ok(match said {
                IValue::Tuple(mut parts) => match (parts.pop(), parts.pop()) {
                    (Some(IValue::Tensor(features)), Some(IValue::Tensor(logits))) => Output { logits, features },
                    _ => return Err(other("it gave two tensors, and now something else")),
                },
                IValue::Tensor(logits) if self.gives == Gives::LogitsAndMethod && !train => {
                    Output { features: module.method_ts("features", &[x.shallow_clone()])?, logits }
                }
                // training looks at logits alone
                IValue::Tensor(logits) => Output { features: logits.shallow_clone(), logits },
                _ => return Err(other("it gave one tensor, and now something else")),
            })
        })
    }

    /// Runs `work` with the module in the right mode; in eval mode several threads may do so at once.
    fn with<T>(&self, train: bool, work: impl FnOnce(&CModule) -> T) -> T {
        loop {
            let held = self.module.read().unwrap_or_else(PoisonError::into_inner);
            if held.1 == train {
                return work(&held.0);
            }
            drop(held);
            let mut held = self.module.write().unwrap_or_else(PoisonError::into_inner);
            if train {
                held.0.set_train();
            } else {
                held.0.set_eval();
            }
            held.1 = train;
        }
    }

    /// Writes the module with its present weights, in eval mode, as a file of `torch.jit.load`.
    pub(crate) fn save(&self, path: &Path) -> Result<(), TorchError> {
        let temporary = path.with_extension("pt.tmp");
        let io = |source| TorchError::Io { path: path.to_owned(), source };
        self.with(false, |module| module.save(&temporary))?;
        // libtorch's writer leaves out what was beside the code
        if let Some(text) = ScriptFacts::text(std::io::Cursor::new(&self.archive.bytes)) {
            ScriptFacts::add(&temporary, &text).map_err(io)?;
        }
        fs::rename(&temporary, path).map_err(io)
    }

    /// Whether training would move everything that it should: a traced module keeps batch norm as it was, and a frozen
    /// one has no parameters at all.
    pub(crate) fn check_trainable(&self, device: Device) -> Result<(), TorchError> {
        let frozen = |why: &str| Err(TorchError::Frozen { path: self.archive.path.clone(), why: why.to_owned() });
        let (twin, params) = Self::load(&self.archive, device)?;
        if params.count() == 0 {
            return frozen("it has no parameters that can be trained");
        }
        let statistics = |params: &Params| {
            let all = params.snapshot().into_iter();
            all.filter(|(name, _)| name.ends_with("running_mean")).map(|(_, t)| t).collect::<Vec<_>>()
        };
        let before = statistics(&params);
        let [h, w] = self.archive.input;
        let values = (0..4 * 3 * h * w).map(|i| (0.7 * i as f32).sin()).collect::<Vec<_>>();
        let x = Tensor::from_slice(&values).view([4, 3, h as i64, w as i64]).to_device(device);
        tch::no_grad(|| twin.try_forward(&x, true))
            .map_err(|e| wrong_mode(&self.archive.path, &first_line_of(&e.to_string())))?;
        let moved = statistics(&params).iter().zip(&before).any(|(a, b)| a != b);
        if !before.is_empty() && !moved {
            return frozen("its batch norm does not follow the data in train mode, so it was traced");
        }
        Ok(())
    }
}

/// The module's own tensors by name.
fn params(module: &CModule) -> Result<Params, String> {
    let mut params = Params::new();
    let parameters = module.named_parameters().map_err(|e| first_line(&e))?;
    for (name, tensor) in parameters {
        if tensor.kind() != Kind::Float {
            return Err(format!("its parameter {name:?} is of {:?}, not of 32 bit floats", tensor.kind()));
        }
        let trained = tensor.requires_grad();
        params.adopt(&name, tensor, trained);
    }
    for (name, tensor) in named_buffers(module).map_err(|e| e.to_string())? {
        params.adopt(&name, tensor, false);
    }
    Ok(params)
}

/// libtorch's messages go on for pages.
fn first_line(error: &tch::TchError) -> String {
    first_line_of(&error.to_string())
}

fn first_line_of(text: &str) -> String {
    text.lines().map(str::trim).find(|l| !l.is_empty()).unwrap_or("libtorch gave no reason").to_owned()
}

/// The module answers in eval mode and not in train mode.
fn wrong_mode(path: &Path, why: &str) -> TorchError {
    TorchError::Frozen { path: path.to_owned(), why: format!("in train mode it fails: {why}") }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Script({}, {} classes)", self.archive.path.display(), self.classes)
    }
}
