//! Standard error while the dashboard has the terminal.

/// Keeps standard error away from the terminal until it is dropped.
///
/// Nothing may be written over the dashboard. And once the terminal is closed, each write to it fails: the
/// dashboard, which reports that on standard error, would abort the run and lose the model.
pub use imp::Silence;

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
mod imp {
    use std::fs::File;
    use std::io::{self, IsTerminal};
    use std::os::fd::OwnedFd;

    use rustix::io::dup;
    use rustix::stdio::dup2_stderr;

    /// See the module.
    #[derive(Debug)]
    pub struct Silence {
        terminal: Option<OwnedFd>,
    }

    impl Silence {
        /// From now on nothing is written to standard error, if it is a terminal.
        pub fn new() -> io::Result<Self> {
            let stderr = io::stderr();
            if !stderr.is_terminal() {
                return Ok(Self { terminal: None });
            }
            let terminal = dup(&stderr)?;
            dup2_stderr(File::options().write(true).open("/dev/null")?)?;
            Ok(Self { terminal: Some(terminal) })
        }
    }

    impl Drop for Silence {
        fn drop(&mut self) {
            if let Some(terminal) = &self.terminal {
                // If this fails, messages are lost, which is better than the model.
                let _ = dup2_stderr(terminal);
            }
        }
    }
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
mod imp {
    /// Does nothing here.
    #[derive(Debug)]
    pub struct Silence;

    impl Silence {
        /// Nothing to keep away.
        pub fn new() -> std::io::Result<Self> {
            Ok(Self)
        }
    }
}
