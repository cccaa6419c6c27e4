//! The peak of this process's resident memory, on Linux.

/// The peak since the start or the last [`reset_peak`], in MiB; 0 where the system does not tell.
pub fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|peak| peak.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}

/// Lowers the peak to what is resident now, where the system allows it.
pub fn reset_peak() {
    // Without it the peak that building the inputs left behind would hide what a loss adds.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}
