//! What the system tells of our process (proc(5)), under the names that all of Prometheus' clients use. Apart, because it is
//! all that is not counted.

use super::exposition::{Family, Kind, Labels};
use std::fs;

/// Linux counts the time of processes in hundredths of a second, on every architecture of ours.
const TICKS: f64 = 100.0;

/// What can be found out; what cannot is left out.
pub(super) fn families() -> Vec<Family> {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program may have spaces, and ends with the last parenthesis.
    let fields: Vec<f64> = stat
        .rsplit_once(')')
        .map(|(_, fields)| fields.split_whitespace().skip(1).map(|field| field.parse().unwrap_or_default()).collect())
        .unwrap_or_default();
    // Numbered as proc(5) does, from 1; the first here is the fourth there.
    let field = |number: usize| fields.get(number - 4).copied();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let most =
        limits.lines().find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next()?.parse().ok());
    let system = fs::read_to_string("/proc/stat").unwrap_or_default();
    let booted = system.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse::<f64>().ok());
    let open = fs::read_dir("/proc/self/fd").ok().map(|folder| folder.count() as f64);
    let started = booted.zip(field(22)).map(|(booted, ticks)| booted + ticks / TICKS);
    let busy = field(14).zip(field(15)).map(|(user, system)| (user + system) / TICKS);
    let gauge = |name, help, value| (Kind::Gauge, name, help, value);
    let found: [(Kind, &'static str, &'static str, Option<f64>); 7] = [
        (Kind::Counter, "process_cpu_seconds", "Time of the processors.", busy),
        gauge("process_resident_memory_bytes", "Memory in use.", resident.map(|kilobytes| kilobytes * 1024.0)),
        gauge("process_virtual_memory_bytes", "Memory that is addressed.", field(23)),
        gauge("process_threads", "Threads.", field(20)),
        gauge("process_open_fds", "Files and sockets that are open.", open),
        gauge("process_max_fds", "Files and sockets that may be open.", most),
        gauge("process_start_time_seconds", "When the process began.", started),
    ];
    let found = found.into_iter().filter_map(|(kind, name, help, value)| Some((Family::new(kind, name, help), value?)));
    found.map(|(family, value)| family.with(Labels::new(), value)).collect()
}
