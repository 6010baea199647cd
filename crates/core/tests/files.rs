//! A device's files as services use them. Apart from the code, because all of it is seen through the border that services
//! see it through.
#![expect(clippy::unwrap_used, reason = "a test that fails panics")]
#![expect(clippy::disallowed_methods, reason = "an instant can only be had from the clock")]

use honeyplant_core::{
    device::Device,
    files::{Access, Kind, Place, ROOT, Refusal, Rights, Space, View, Who},
    identity::Identity,
    profile::Profile,
};
use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

const NOW: Duration = Duration::from_secs(1_750_000_000);

/// Somebody with a number and a group of their own.
fn who(uid: u32, groups: &[u32]) -> Who {
    Who { uid, gid: uid, groups: groups.to_vec(), rights: Rights::Write }
}

fn source(last: u16) -> IpAddr {
    let [high, low] = last.to_be_bytes();
    [198, 51, high, low].into()
}

fn device(files: &str) -> Arc<Device> {
    let text = format!("[profile]\ntitle = 't'\n[cpu]\nrestart = '20s'\n{files}");
    let profile = Profile::parse(&text, &[]).unwrap();
    let identity = Identity(BTreeMap::from([("serial".into(), "S-77".into())]));
    let (device, _) =
        profile.device("plc", "test", identity, 1, None).unwrap_or_else(|problems| panic!("{problems:?}"));
    device
}

fn problems(files: &str) -> Vec<String> {
    let text = format!("[profile]\ntitle = 't'\n{files}");
    let built =
        Profile::parse(&text, &[]).and_then(|profile| profile.device("plc", "test", Identity::default(), 1, None));
    built.err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

fn root(device: &Device) -> View<'_> {
    device.files().of(source(1), &ROOT, NOW)
}

fn seen_by<'a>(device: &'a Device, who: &'a Who) -> View<'a> {
    device.files().of(source(1), who, NOW)
}

const TREE: &str = r#"
[files]
owner = "maker"
group = "staff"
users = { root = 0, maker = 7 }
groups = { root = 0, staff = 50 }
modified = "2016-05-09T11:20:00Z"
[files.entries]
"/readme.txt" = { text = "serial {serial}, {not this}\n" }
"/data/log.csv" = { text = "a;b\n", owner = "root", mode = 0o600 }
"/data/today" = { link = "log.csv" }
"/loop" = { link = "/loop" }
"/up" = { link = "../../data/" }
"/project.bin" = { hex = "50 4b 03 04", size = "1KiB" }
"/blank.bin" = { size = "5", fill = "ff00" }
"/drop/" = { mode = 0o1777 }
"#;

#[test]
fn the_profile_says_what_is_there() {
    let device = device(TREE);
    let view = root(&device);
    assert_eq!(**view.read("/readme.txt").unwrap(), *b"serial S-77, {not this}\n");
    let project = view.read("/project.bin").unwrap();
    assert_eq!((project.len(), &project[..4]), (1024, &b"PK\x03\x04"[..]));
    assert_eq!(**view.read("/blank.bin").unwrap(), [255, 0, 255, 0, 255]);
    let facts = view.facts("/data/log.csv").unwrap();
    assert_eq!((&*facts.owner, &*facts.group, facts.mode, facts.size), ("root", "staff", 0o600, 4));
    assert_eq!(facts.modified, Duration::from_secs(1_462_792_800));
    let names: Vec<Box<str>> = view.list("/").unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.join(" "), "blank.bin data drop loop project.bin readme.txt up");
    assert_eq!(view.facts("/").unwrap().links, 4);
    assert_eq!(view.size_of_tree("/data"), Ok(4 + 7));
}

#[test]
fn links_are_followed_and_circles_refused() {
    let device = device(TREE);
    let mut view = root(&device);
    assert_eq!(view.facts("/data/today").unwrap().kind, Kind::File);
    assert_eq!(view.link_facts("/data/today").unwrap().kind, Kind::Link("log.csv".into()));
    assert_eq!(view.read_link("/data/today").as_deref(), Ok("log.csv"));
    assert_eq!(view.read("/up/log.csv").unwrap().len(), 4);
    assert_eq!(view.facts("/loop").unwrap_err(), Refusal::Loop);
    view.link("/new", "data/made").unwrap();
    view.write("/new", b"x", Place::Replace).unwrap();
    assert_eq!(view.read("/data/made").unwrap().len(), 1);
    view.remove("/new").unwrap();
    assert!(view.facts("/data/made").is_ok());
}

#[test]
fn bytes_go_where_they_are_put() {
    let device = device(TREE);
    let mut view = root(&device);
    view.write("/f", b"12345", Place::New).unwrap();
    assert_eq!(view.write("/f", b"", Place::New), Err(Refusal::Exists));
    view.write("/f", b"67", Place::Append).unwrap();
    view.write("/f", b"AB", Place::At(1)).unwrap();
    assert_eq!(**view.read("/f").unwrap(), *b"1AB4567");
    view.write("/f", b"Z", Place::At(9)).unwrap();
    assert_eq!(**view.read("/f").unwrap(), *b"1AB4567\0\0Z");
    view.write("/f", b"n", Place::Replace).unwrap();
    assert_eq!(**view.read("/f").unwrap(), *b"n");
    assert_eq!(view.write("/f", b"n", Place::At(u64::MAX)), Err(Refusal::TooLarge));
    assert_eq!(view.facts("/f").unwrap().modified, NOW);
    assert_eq!(view.facts("/").unwrap().modified, NOW);
}

#[test]
fn owners_groups_and_modes_decide_as_in_posix() {
    let device = device(TREE);
    let maker = who(7, &[]);
    let colleague = who(8, &[50]);
    let stranger = who(9, &[]);
    let of = |who| seen_by(&device, who);
    assert_eq!(of(&stranger).read("/data/log.csv"), Err(Refusal::Denied));
    assert_eq!(of(&maker).read("/data/log.csv"), Err(Refusal::Denied), "it is root's");
    assert_eq!(of(&stranger).write("/readme.txt", b"x", Place::Append), Err(Refusal::Denied));
    assert_eq!(of(&stranger).set_mode("/readme.txt", 0o777), Err(Refusal::Denied));
    of(&maker).set_mode("/readme.txt", 0o060).unwrap();
    assert_eq!(of(&maker).read("/readme.txt"), Err(Refusal::Denied), "the owner's bits count for the owner");
    of(&colleague).write("/readme.txt", b"x", Place::Replace).unwrap();
    assert_eq!(of(&colleague).write("/new", b"", Place::New), Err(Refusal::Denied), "the folder is not theirs");
    assert_eq!(of(&maker).set_owner("/readme.txt", Some(9), None), Err(Refusal::Denied));
    of(&ROOT).set_owner("/readme.txt", Some(9), Some(50)).unwrap();
    assert_eq!(&*of(&stranger).facts("/readme.txt").unwrap().owner, "9");
    of(&ROOT).set_mode("/data", 0o600).unwrap();
    assert_eq!(of(&maker).facts("/data/log.csv").unwrap_err(), Refusal::Denied, "a folder is reached through x");
    // In a folder with the sticky bit everybody may make, and remove what is theirs.
    of(&stranger).write("/drop/mine", b"", Place::New).unwrap();
    assert_eq!(of(&colleague).remove("/drop/mine"), Err(Refusal::Denied));
    of(&stranger).remove("/drop/mine").unwrap();
    assert_eq!(of(&maker).may("/blank.bin", Access::Execute), Err(Refusal::Denied));
    let reader = Who { rights: Rights::Read, ..maker.clone() };
    assert_eq!(of(&reader).write("/blank.bin", b"", Place::Replace), Err(Refusal::Denied));
    assert_eq!(of(&reader).set_times("/blank.bin", Some(NOW), None), Err(Refusal::Denied));
}

#[test]
fn an_actor_sees_only_what_it_changed_itself() {
    let device = device(TREE);
    let of = |last| device.files().of(source(last), &ROOT, NOW);
    of(1).write("/drop.exe", b"MZ", Place::New).unwrap();
    of(1).remove("/readme.txt").unwrap();
    assert!(of(2).facts("/drop.exe").is_err() && of(2).facts("/readme.txt").is_ok());
    assert!(of(1).facts("/drop.exe").is_ok());
    // Whoever has an IPv6 subnet is one actor.
    let of = |text: &str| device.files().of(text.parse().unwrap(), &ROOT, NOW);
    of("2001:db8::1").write("/a", b"", Place::New).unwrap();
    assert!(of("2001:db8::ffff:1").facts("/a").is_ok());
    assert!(of("2001:db8:0:1::1").facts("/a").is_err());
    let mapped = "::ffff:198.51.0.1".parse().unwrap();
    assert!(device.files().of(mapped, &ROOT, NOW).facts("/drop.exe").is_ok());
    let snapshot = device.files().snapshot(source(1));
    device.files().reset(source(1));
    assert!(device.files().of(source(1), &ROOT, NOW).facts("/readme.txt").is_ok());
    device.files().restore(source(1), &snapshot);
    assert!(device.files().of(source(1), &ROOT, NOW).facts("/readme.txt").is_err());
}

#[test]
fn what_actors_leave_is_bounded() {
    let device = device(
        "[files]\nquota = { file = '100', actor = '250', device = '450', nodes = 10, actors = 3 }\n\
         [files.entries]\n'/own' = { size = '90' }",
    );
    let of = |last| device.files().of(source(last), &ROOT, NOW);
    assert_eq!(of(1).room("/a"), Ok(100));
    assert_eq!(of(1).write("/a", &[0; 101], Place::New), Err(Refusal::TooLarge));
    of(1).write("/a", &[0; 100], Place::New).unwrap();
    of(1).write("/b", &[0; 100], Place::New).unwrap();
    assert_eq!(of(1).room("/c"), Ok(50));
    assert_eq!(of(1).room("/a"), Ok(100));
    assert_eq!(of(1).write("/c", &[0; 51], Place::New), Err(Refusal::Full));
    assert!(of(1).facts("/c").is_err(), "all or none");
    assert_eq!(of(1).copy("/a", "/c"), Err(Refusal::Full));
    of(1).remove("/a").unwrap();
    assert_eq!(of(1).room("/c"), Ok(100));
    for folder in 0..9 {
        of(1).make_folder(&format!("/{folder}")).unwrap();
    }
    assert_eq!(of(1).make_folder("/x"), Err(Refusal::Full));
    // The third who fills the device makes it forget the first.
    for actor in [2, 3] {
        for file in ["/a", "/b"] {
            of(actor).write(file, &[0; 100], Place::New).unwrap();
        }
    }
    assert!(of(1).facts("/b").is_err() && of(2).facts("/b").is_ok() && of(3).facts("/b").is_ok());
    // As does the fourth of three.
    for actor in [4, 5] {
        of(actor).make_folder("/f").unwrap();
    }
    assert!(of(2).facts("/a").is_err() && of(3).facts("/a").is_ok() && of(5).facts("/f").is_ok());
}

#[test]
fn volumes_have_space_of_their_own_and_may_forget() {
    let device = device(
        "[files.volumes]\n'/' = { size = '1KiB', taken = '100' }\n'/RAM' = { size = '200', volatile = true }\n\
         '/ROM' = { size = '100', read-only = true }\n\
         [files.entries]\n'/a' = { size = '24' }\n'/RAM/was' = { size = '50', modified = 'boot + 2s' }\n'/ROM/b' = { size = '10' }",
    );
    let start = Instant::now();
    device.start(start, SystemTime::UNIX_EPOCH + NOW);
    assert_eq!(root(&device).space("/a"), Space { size: 1024, free: 900 });
    assert_eq!(root(&device).space("/RAM"), Space { size: 200, free: 150 });
    assert_eq!(root(&device).facts("/RAM/was").unwrap().modified, NOW + Duration::from_secs(2));
    let mut view = root(&device);
    assert_eq!(view.write("/ROM/b", b"", Place::Replace), Err(Refusal::ReadOnly));
    assert_eq!(view.write("/ROM/c", b"", Place::New), Err(Refusal::ReadOnly));
    assert_eq!(view.remove("/ROM/b"), Err(Refusal::ReadOnly));
    assert_eq!(view.set_mode("/ROM/b", 0), Err(Refusal::ReadOnly));
    assert_eq!(view.remove_tree("/RAM"), Err(Refusal::Busy));
    assert_eq!(view.rename("/RAM", "/x"), Err(Refusal::Busy));
    assert_eq!(view.rename("/RAM/was", "/was"), Err(Refusal::OtherVolume));
    view.write("/RAM/now", &[1; 150], Place::New).unwrap();
    assert_eq!(view.write("/RAM/now", b"1", Place::Append), Err(Refusal::Full));
    view.remove("/RAM/was").unwrap();
    assert_eq!(view.space("/RAM").free, 50);
    view.write("/keep", &[1; 9], Place::New).unwrap();
    drop(view);
    device.restart(start + Duration::from_secs(60));
    let view = root(&device);
    assert!(view.facts("/RAM/now").is_err() && view.facts("/keep").is_ok());
    assert_eq!(view.space("/RAM").free, 150);
    assert_eq!(view.facts("/RAM/was").unwrap().modified, NOW + Duration::from_secs(82));
    assert_eq!(view.space("/").free, 891);
}

#[test]
fn names_may_be_those_of_dos() {
    let device = device("[files]\nnames = 'dos'\n[files.entries]\n'/FLASH0/wwwroot/Index.htm' = { text = 'x' }");
    let mut view = root(&device);
    assert!(view.read("/flash0/WWWROOT/index.HTM").is_ok());
    assert_eq!(&*view.list("/flash0/wwwroot").unwrap()[0].0, "Index.htm");
    assert_eq!(view.write("/a:b", b"", Place::New), Err(Refusal::BadName));
    view.write("/b", b"", Place::New).unwrap();
    assert_eq!(view.rename("/b", "/FLASH0"), Err(Refusal::Exists));
    view.rename("/b", "/B").unwrap();
    assert_eq!(view.list("/").unwrap().iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["B", "FLASH0"]);
}

#[test]
fn a_tree_is_moved_copied_and_removed_whole() {
    let device = device(TREE);
    let mut view = root(&device);
    let before = view.space("/").free;
    view.copy_tree("/data", "/backup").unwrap();
    assert_eq!(before - view.space("/").free, 11);
    assert_eq!(view.link_facts("/backup/today").unwrap().kind, Kind::Link("log.csv".into()));
    assert_eq!(view.rename("/data", "/data/inside"), Err(Refusal::Invalid));
    assert_eq!(view.copy_tree("/data", "/data/inside"), Err(Refusal::Invalid));
    assert_eq!(view.rename("/data", "/backup"), Err(Refusal::NotEmpty));
    view.rename("/data", "/drop/moved").unwrap();
    assert_eq!(
        view.walk("/drop").unwrap().iter().map(|(path, _)| &**path).collect::<Vec<_>>(),
        ["/drop/moved", "/drop/moved/log.csv", "/drop/moved/today"]
    );
    assert_eq!(view.remove_folder("/backup"), Err(Refusal::NotEmpty));
    view.remove_tree("/backup").unwrap();
    assert_eq!(view.space("/").free, before);
    assert_eq!(view.remove_tree("/"), Err(Refusal::Busy));
    let inodes: Vec<u64> = view.walk("/").unwrap().iter().map(|(_, facts)| facts.inode).collect();
    let mut apart = inodes.clone();
    apart.sort_unstable();
    apart.dedup();
    assert_eq!(apart.len(), inodes.len());
}

#[test]
fn no_path_brings_it_down() {
    let device = device(TREE);
    let mut view = root(&device);
    let long = format!("/{}", "x".repeat(300));
    let deep = "/a".repeat(70);
    for path in [
        "",
        "/",
        "//",
        "\0",
        "/\0",
        "/a\0b",
        "..",
        "/../..",
        "relative",
        "/readme.txt/x",
        &long,
        &deep,
        "/ü/ß",
        "/\u{F7FF}",
    ] {
        let _ =
            (view.facts(path), view.list(path), view.read(path), view.room(path), view.walk(path), view.space(path));
        let _ =
            (view.write(path, b"x", Place::At(3)), view.make_folder(path), view.link(path, path), view.remove(path));
        let _ =
            (view.rename(path, "/moved"), view.rename("/moved", path), view.copy(path, path), view.remove_folder(path));
        let _ = (view.copy_tree("/", path), view.set_mode(path, 0), view.remove_tree(path));
    }
    // Folders in each other end somewhere.
    let mut path = String::new();
    let mut refused = None;
    for _ in 0..100 {
        path += "/d";
        refused = refused.or(view.make_folder(&path).err());
    }
    assert_eq!(refused, Some(Refusal::BadName));
}

#[test]
fn mistakes_of_the_operator_are_told_with_their_place() {
    let told = problems(
        "[files]\nowner = 'nobody'\n[files.volumes]\n'/RAM' = { size = '1KiB' }\n[files.entries]\n\
         '/a' = { text = '{nowhere}' }\n'/b' = { text = 'x', link = 'y' }\n'/c' = { hex = 'zz' }\n\
         '/d/' = { modified = 'soon' }\n'/e' = { text = 'long', size = '2' }\n'/f' = {}\n'/f/g' = {}\n",
    );
    let expected = ["files.entries./a: ", "files.entries./b: ", "files.entries./c: ", "files.entries./d.modified: "];
    let expected = expected.into_iter().chain([
        "files.entries./e: ",
        "files.entries./f/g: ",
        "files.owner: ",
        "files.volumes./RAM: ",
    ]);
    for key in expected {
        assert!(told.iter().any(|problem| problem.starts_with(key)), "{key} is not in {told:#?}");
    }
    assert_eq!(told.len(), 8, "{told:#?}");
}
