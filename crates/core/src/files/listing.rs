//! How devices show files in lists. Apart, because FTP, shells and web pages show the same lists.

use super::{Facts, Kind};
use crate::calendar::Civil;
use std::{fmt::Write, time::Duration};

/// Half a mean Gregorian year, after which `ls` shows the year (POSIX.1-2017, `ls`).
const HALF_A_YEAR: Duration = Duration::from_secs(31_556_952 / 2);

/// A line of `ls -l`, without its end. Times of the last half year show the time of day, others the year; `now` is the
/// device's clock.
pub fn unix(name: &str, facts: &Facts, now: Duration) -> String {
    let Facts { links, owner, group, size, modified, .. } = facts;
    let civil = Civil::of(*modified);
    let recent = *modified <= now && now.saturating_sub(*modified) < HALF_A_YEAR;
    let (month, day) = (civil.month_name(), civil.day);
    let mut line =
        format!("{}{} {links:>3} {owner:<8} {group:<8} {size:>8} {month} {day:>2} ", letter(facts), mode(facts.mode));
    // Writing into a string cannot fail.
    let _ = if recent {
        write!(line, "{:02}:{:02} {name}", civil.hour, civil.minute)
    } else {
        write!(line, "{:>5} {name}", civil.year)
    };
    if let Kind::Link(target) = &facts.kind {
        let _ = write!(line, " -> {target}");
    }
    line
}

/// A line of a DOS or Windows server, without its end.
pub fn dos(name: &str, facts: &Facts) -> String {
    let civil = Civil::of(facts.modified);
    let (hour, half) = match civil.hour {
        0 => (12, "AM"),
        hour @ 1..12 => (hour, "AM"),
        12 => (12, "PM"),
        hour => (hour - 12, "PM"),
    };
    let date =
        format!("{:02}-{:02}-{:02}  {hour:02}:{:02}{half}", civil.month, civil.day, civil.year % 100, civil.minute);
    match facts.kind {
        Kind::Folder => format!("{date}       {:<14} {name}", "<DIR>"),
        Kind::File | Kind::Link(_) => format!("{date} {:>20} {name}", facts.size),
    }
}

/// A fact of RFC 3659 §7.5, or of those that servers on Unix add.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// `size`
    Size,
    /// `modify`
    Modify,
    /// `type`
    Type,
    /// `unique`
    Unique,
    /// `perm`
    Perm,
    /// `UNIX.mode`
    UnixMode,
    /// `UNIX.owner`
    UnixOwner,
    /// `UNIX.group`
    UnixGroup,
}

impl Fact {
    /// All of them, in the order in which servers tell them.
    pub const ALL: [Self; 8] = [
        Self::Size,
        Self::Modify,
        Self::Type,
        Self::Unique,
        Self::Perm,
        Self::UnixMode,
        Self::UnixOwner,
        Self::UnixGroup,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Modify => "modify",
            Self::Type => "type",
            Self::Unique => "unique",
            Self::Perm => "perm",
            Self::UnixMode => "UNIX.mode",
            Self::UnixOwner => "UNIX.owner",
            Self::UnixGroup => "UNIX.group",
        }
    }
}

/// What an entry is to the folder that is listed (RFC 3659 §7.5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// One of the names in it.
    Entry,
    /// The folder itself: `cdir`.
    Listed,
    /// The folder above it: `pdir`.
    Above,
}

/// A line of MLSD or MLST (RFC 3659 §7.2), without its end: the `wanted` facts in this order, a blank, and the name. `perm`
/// is worked out by the server, which knows its commands.
pub fn mlsx(name: &str, facts: &Facts, role: Role, perm: &str, wanted: &[Fact]) -> String {
    let mut line = String::new();
    for fact in wanted {
        let value = match fact {
            // §7.5.7: the size is that of a file as it would be transferred.
            Fact::Size if facts.kind == Kind::Folder => continue,
            Fact::Size => facts.size.to_string(),
            Fact::Modify => stamp(facts.modified),
            Fact::Type => match (&facts.kind, role) {
                (Kind::Folder, Role::Entry) => "dir".to_owned(),
                (Kind::Folder, Role::Listed) => "cdir".to_owned(),
                (Kind::Folder, Role::Above) => "pdir".to_owned(),
                (Kind::File, _) => "file".to_owned(),
                // A link is of a type of the operating system (§7.5.1.5).
                (Kind::Link(_), _) => "OS.unix=symlink".to_owned(),
            },
            Fact::Unique => format!("{:x}", facts.inode),
            Fact::Perm => perm.to_owned(),
            Fact::UnixMode => format!("{:04o}", facts.mode),
            Fact::UnixOwner => facts.uid.to_string(),
            Fact::UnixGroup => facts.gid.to_string(),
        };
        let _ = write!(line, "{}={value};", fact.name());
    }
    line + " " + name
}

/// A time as RFC 3659 §2.3 writes it: `YYYYMMDDHHMMSS`.
pub fn stamp(time: Duration) -> String {
    let Civil { year, month, day, hour, minute, second } = Civil::of(time);
    format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}")
}

const fn letter(facts: &Facts) -> char {
    match facts.kind {
        Kind::File => '-',
        Kind::Folder => 'd',
        Kind::Link(_) => 'l',
    }
}

/// The nine letters of a mode, as `ls` shows them.
pub fn mode(mode: u16) -> String {
    let classes = [(6, 0o4000, ['s', 'S']), (3, 0o2000, ['s', 'S']), (0, 0o1000, ['t', 'T'])];
    let mut letters = String::new();
    for (shift, special, [runs, runs_not]) in classes {
        let bits = mode >> shift;
        letters.push(if bits & 0o4 != 0 { 'r' } else { '-' });
        letters.push(if bits & 0o2 != 0 { 'w' } else { '-' });
        letters.push(match (mode & special != 0, bits & 0o1 != 0) {
            (true, true) => runs,
            (true, false) => runs_not,
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_750_000_000);

    fn facts(kind: Kind, mode: u16, ago: u64) -> Facts {
        let (owner, group) = ("root".into(), "ftp".into());
        let time = NOW.saturating_sub(Duration::from_secs(ago));
        let (modified, accessed, changed) = (time, time, time);
        Facts {
            kind,
            size: 1234,
            owner,
            group,
            uid: 0,
            gid: 45,
            mode,
            modified,
            accessed,
            changed,
            links: 1,
            inode: 77,
        }
    }

    #[test]
    fn a_unix_line_shows_the_hour_within_half_a_year_and_else_the_year() {
        let line = unix("a b.txt", &facts(Kind::File, 0o640, 60), NOW);
        assert_eq!(line, "-rw-r-----   1 root     ftp          1234 Jun 15 15:05 a b.txt");
        let line = unix("old", &facts(Kind::Folder, 0o1777, 200 * 86_400), NOW);
        assert_eq!(line, "drwxrwxrwt   1 root     ftp          1234 Nov 27  2024 old");
        let mut ahead = facts(Kind::Link("/x".into()), 0o777, 0);
        ahead.modified += Duration::from_secs(86_400);
        assert_eq!(unix("l", &ahead, NOW), "lrwxrwxrwx   1 root     ftp          1234 Jun 16  2025 l -> /x");
    }

    #[test]
    fn other_lines() {
        assert_eq!(dos("a", &facts(Kind::File, 0, 60)), "06-15-25  03:05PM                 1234 a");
        assert_eq!(dos("d", &facts(Kind::Folder, 0, 60)), "06-15-25  03:05PM       <DIR>          d");
    }

    #[test]
    fn machines_are_told_facts() {
        let file = facts(Kind::File, 0o644, 40);
        assert_eq!(
            mlsx("a b", &file, Role::Entry, "adfrw", &[Fact::Type, Fact::Size, Fact::Modify]),
            "type=file;size=1234;modify=20250615150600; a b"
        );
        let folder = facts(Kind::Folder, 0o755, 40);
        assert_eq!(
            mlsx("/", &folder, Role::Listed, "el", &[Fact::Size, Fact::Type, Fact::Perm]),
            "type=cdir;perm=el; /"
        );
        assert_eq!(mlsx("a", &file, Role::Entry, "", &[]), " a");
        assert_eq!(mlsx("a", &file, Role::Entry, "", &[Fact::Unique, Fact::UnixMode]), "unique=4d;UNIX.mode=0644; a");
    }
}
