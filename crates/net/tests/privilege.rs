//! A process that was root and is not any more. Apart, because the test needs a process of its own to give it up in.

use honeyplant_core::{conversation::Transport, device::Device, identity::Identity, plant::Plant};
use honeyplant_net::{Account, Door, Fleet, Limits};
use std::{env, fs, process::Command, sync::Arc};

mod stage;

#[test]
fn doors_stay_open_when_root_is_given_up() {
    if env::var_os(CHILD).is_some() {
        let device = Arc::new(Device::new("plc-1", "kind", Identity::default(), Plant::default()));
        let (address, service) = ("127.0.0.93".parse().unwrap(), Arc::new(stage::Stage { greeting: "" }));
        let door = Door {
            address,
            transport: Transport::Tcp(502),
            device,
            protocol: "stage",
            service,
            connections: None,
            idle: None,
            tls: None,
        };
        let fleet = Fleet::bind(vec![door.clone()], &[], Limits::default());
        assert!(fleet.is_ok());
        Account::find("65534", Some("65534")).unwrap().assume().unwrap();
        let status = fs::read_to_string("/proc/thread-self/status").unwrap();
        for line in
            ["Uid:\t65534\t65534\t65534\t65534", "Gid:\t65534\t65534\t65534\t65534", "CapEff:\t0000000000000000"]
        {
            assert!(status.contains(line), "{status}");
        }
        assert!(fs::read("/etc/shadow").is_err());
        return;
    }
    let status = fs::read_to_string("/proc/self/status").unwrap();
    if !status.contains("\nUid:\t0\t0\t") {
        return;
    }
    let mut child = Command::new(env::current_exe().unwrap());
    let output = child.args(["--exact", "doors_stay_open_when_root_is_given_up"]).env(CHILD, "").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// Set in the process that gives it up.
const CHILD: &str = "HONEYPLANT_TEST_GIVES_UP_ROOT";
