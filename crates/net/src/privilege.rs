//! Ceasing to be root. Apart, because it is done once, between the opening of the doors and the start of the runtime,
//! and what it got wrong nothing else would notice.

use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};
use std::{fs, io};

/// Whom the process is to run as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// The number of the user.
    pub user: u32,
    /// The number of the group.
    pub group: u32,
}

impl Account {
    /// Looks up a user and a group by name or number; without a group, it is the user's own.
    ///
    /// Only `/etc/passwd` and `/etc/group` are asked: other sources of names would load foreign code into a process that
    /// is root. The error says what was not found where.
    pub fn find(user: &str, group: Option<&str>) -> io::Result<Self> {
        let read = |file: &str| {
            fs::read_to_string(file).map_err(|error| io::Error::new(error.kind(), format!("reading {file}: {error}")))
        };
        // Numbers need no files, which a container may not have.
        if let (Ok(user), Some(Ok(group))) = (user.parse(), group.map(str::parse)) {
            return Ok(Self { user, group });
        }
        let groups = if group.is_some() { read("/etc/group")? } else { String::new() };
        Self::find_in(&read("/etc/passwd")?, &groups, user, group)
            .map_err(|what| io::Error::new(io::ErrorKind::NotFound, what))
    }

    /// Whether the process has the rights of root.
    pub fn is_root() -> bool {
        Uid::effective().is_root()
    }

    fn find_in(users: &str, groups: &str, user: &str, group: Option<&str>) -> Result<Self, String> {
        let [number, own] = entry(users, user, [2, 3])
            .or_else(|| user.parse().ok().map(|number| [number, number]))
            .ok_or_else(|| format!("there is no user `{user}` in /etc/passwd"))?;
        let group = group.map_or(Ok(own), |group| {
            entry(groups, group, [2])
                .map(|[number]| number)
                .or_else(|| group.parse().ok())
                .ok_or_else(|| format!("there is no group `{group}` in /etc/group"))
        })?;
        Ok(Self { user: number, group })
    }

    /// Makes this process run as this account, for good. No other thread may have been started.
    pub fn assume(self) -> io::Result<()> {
        let (user, group) = (Uid::from_raw(self.user), Gid::from_raw(self.group));
        let tried =
            |what| move |error: nix::Error| io::Error::new(io::Error::from(error).kind(), format!("{what}: {error}"));
        setgroups(&[]).map_err(tried("giving up supplementary groups"))?;
        setresgid(group, group, group).map_err(tried("changing the group"))?;
        setresuid(user, user, user).map_err(tried("changing the user"))?;
        if !user.is_root() && setresuid(Uid::from_raw(0), Uid::from_raw(0), Uid::from_raw(0)).is_ok() {
            return Err(io::Error::other("the process could become root again"));
        }
        Ok(())
    }
}

/// The numbers in the columns `wanted` of the line whose first or third column is `key`.
fn entry<const N: usize>(text: &str, key: &str, wanted: [usize; N]) -> Option<[u32; N]> {
    let columns = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
    let mut lines = text.lines().map(columns);
    let found =
        lines.find(|line| line.first().is_some_and(|name| name == key) || line.get(2).is_some_and(|id| id == key))?;
    let mut numbers = [0; N];
    for (number, column) in numbers.iter_mut().zip(wanted) {
        *number = found.get(column)?.parse().ok()?;
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = "root:x:0:0:root:/root:/bin/sh\nplant:x:991:990::/:/bin/false\nbroken\n";
    const GROUPS: &str = "root:x:0:\noperators:x:985:plant\n";

    #[test]
    fn accounts_are_found_by_name_and_by_number() {
        let find = |user, group| Account::find_in(USERS, GROUPS, user, group).map(|a| (a.user, a.group));
        assert_eq!(find("plant", None), Ok((991, 990)));
        assert_eq!(find("991", None), Ok((991, 990)));
        assert_eq!(find("plant", Some("operators")), Ok((991, 985)));
        assert_eq!(find("65534", Some("65533")), Ok((65_534, 65_533)));
        assert_eq!(find("65534", None), Ok((65_534, 65_534)));
        assert_eq!(find("broken", None), Err("there is no user `broken` in /etc/passwd".into()));
        assert_eq!(find("plant", Some("x")), Err("there is no group `x` in /etc/group".into()));
    }
}
