//! Ctrl-C while the dashboard has the terminal.

use crate::error::Error;

/// Listens to Ctrl-C. Once it is dropped, Ctrl-C ends the program again.
pub use imp::Interrupts;

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
mod imp {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    use signal_hook::consts::SIGINT;
    use signal_hook::flag;

    use super::Error;

    /// The exit status of a program that Ctrl-C ended, by the convention of shells.
    const INTERRUPTED: i32 = 130;

    /// See the module.
    #[derive(Debug)]
    pub struct Interrupts {
        came: Arc<AtomicBool>,
        over: Arc<AtomicBool>,
        passed: bool,
    }

    impl Interrupts {
        /// Catches the signal of Ctrl-C from now on.
        pub fn listen() -> Result<Self, Error> {
            let (came, over) = (Arc::default(), Arc::default());
            flag::register_conditional_shutdown(SIGINT, INTERRUPTED, Arc::clone(&over))
                .and_then(|_| flag::register(SIGINT, Arc::clone(&came)))
                .map_err(|error| Error::option("--dashboard", error.to_string()))?;
            Ok(Self { came, over, passed: false })
        }

        /// Makes Ctrl-C a signal again: the dashboard reads it as a key and ignores it.
        pub fn let_through(&mut self) {
            if self.passed {
                return;
            }
            let terminal = std::io::stdout();
            let Ok(mut modes) = tcgetattr(&terminal) else { return };
            // The dashboard has not taken the terminal yet.
            if modes.local_modes.contains(LocalModes::ICANON) {
                return;
            }
            modes.local_modes.insert(LocalModes::ISIG);
            self.passed = tcsetattr(&terminal, OptionalActions::Now, &modes).is_ok();
        }

        /// Whether the signal came.
        pub fn came(&self) -> bool {
            self.came.load(Ordering::Relaxed)
        }
    }

    impl Drop for Interrupts {
        fn drop(&mut self) {
            self.over.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
mod imp {
    use super::Error;

    /// Ctrl-C does nothing here.
    #[derive(Debug)]
    pub struct Interrupts;

    impl Interrupts {
        /// Nothing to listen to.
        pub fn listen() -> Result<Self, Error> {
            Ok(Self)
        }

        /// Nothing to let through.
        pub fn let_through(&mut self) {}

        /// Never.
        pub fn came(&self) -> bool {
            false
        }
    }
}
