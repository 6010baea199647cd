//! Pages of a folder `www/`, and what operators are told of it. Apart from the dialogues, which bring no folder.

use crate::http::Http;
use honeyplant_core::{files::Folder, identity::Identity, plant::Value, profile::Profile};
use honeyplant_dialogue::{Stage, Talk};
use std::{sync::Arc, time::Duration};

const HEAD: &str = "
[identity]
serial = 'SN-7'
[tags]
level = { type = 'REAL', value = 3.5 }
pump = { type = 'BOOL' }
[http]
version = '1.1'
headers = [['Content-Type', '{type}'], ['*', ''], ['Last-Modified', '{modified}'], ['ETag', '{tag}']]
";

fn folder(files: &[(&str, &str)]) -> Folder {
    files.iter().map(|(path, text)| ((*path).into(), Arc::new(text.as_bytes().to_vec()))).collect()
}

fn staged(settings: &str, files: &[(&str, &str)]) -> Stage {
    let text = format!("{HEAD}{settings}");
    let profile = Profile::parse(&text, &[&Http]).unwrap_or_else(|problems| panic!("{problems:?}"));
    Stage::of(&profile.with_pages(folder(files))).unwrap_or_else(|why| panic!("{why}"))
}

/// What is answered to GET: a status line and fields, an empty line, and the page.
fn got(stage: &Stage, path: &str) -> String {
    got_later(stage, path, Duration::ZERO)
}

fn got_later(stage: &Stage, path: &str, later: Duration) -> String {
    let mut talk = Talk::start(stage, "http", stage.started + later).unwrap();
    talk.receive(format!("GET {path} HTTP/1.1\r\nHost: plc\r\n\r\n").as_bytes()).unwrap();
    String::from_utf8(talk.take_answer()).unwrap().replace("\r\n", "\n")
}

fn page(stage: &Stage, path: &str) -> String {
    let answer = got(stage, path);
    answer.split_once("\n\n").map_or(String::new(), |(_, page)| page.to_owned())
}

fn mistakes(settings: &str, files: &[(&str, &str)]) -> Vec<String> {
    let text = format!("{HEAD}{settings}");
    let profile = Profile::parse(&text, &[&Http]).unwrap().with_pages(folder(files));
    let identity = Identity([("serial".to_owned(), "SN-7".to_owned())].into());
    let problems = profile.device("decoy", "test", identity, 1, None).err().unwrap_or_default();
    let point = |span: std::ops::Range<usize>| text.get(span).unwrap().to_owned();
    problems.into_iter().map(|p| format!("{p} @ {}", p.span.clone().map_or_else(String::new, point))).collect()
}

#[test]
fn every_file_is_a_page_at_its_path_and_a_template_if_it_looks_like_one() {
    let stage = staged(
        "[http.pages]\nmodified = '2020-01-01T10:00:00Z'\netags = true\npartials = ['/parts/']\nplain = ['/lib/']\n\
         types = { mwsl = 'text/html; charset=utf-8' }",
        &[
            ("/index.htm", "{% include 'parts/head.htm' %}{{ tags.level }}"),
            ("/parts/head.htm", "<b>{{ identity.serial }}</b>"),
            ("/parts/plain.htm", "plain"),
            (
                "/a/b.mwsl",
                "{% extends '/parts/base.htm' %}{% block body %}{% include '../parts/plain.htm' %}{% endblock %}",
            ),
            ("/parts/base.htm", "[{% block body %}{% endblock %}]"),
            ("/logo.gif", "GIF89a {{ not.a.template }}"),
            ("/lib/x.js", "var a = {{ b }}"),
            ("/style.css", "b { }"),
        ],
    );
    assert!(got(&stage, "/").ends_with("\n\n<b>SN-7</b>3.5"), "{}", got(&stage, "/"));
    assert!(got(&stage, "/index.htm").starts_with("HTTP/1.1 200 OK\nContent-Type: text/html\n"));
    assert!(got(&stage, "/a/b.mwsl").contains("Content-Type: text/html; charset=utf-8\n"));
    assert_eq!(page(&stage, "/a/b.mwsl"), "[plain]");
    let gif = got(&stage, "/logo.gif");
    for expected in
        ["Content-Type: image/gif\n", "Last-Modified: Wed, 01 Jan 2020 10:00:00 GMT\n", "ETag: \"1b-5e0c6da0\"\n"]
    {
        assert!(gif.contains(expected), "{gif}");
    }
    assert_eq!(page(&stage, "/lib/x.js"), "var a = {{ b }}");
    assert!(got(&stage, "/parts/head.htm").starts_with("HTTP/1.1 404"));
    assert!(got(&stage, "/a").starts_with("HTTP/1.1 301 Moved Permanently\n"), "{}", got(&stage, "/a"));
    assert!(got(&stage, "/a/").starts_with("HTTP/1.1 404"));
    assert!(got(&stage, "/a/../../etc/passwd").starts_with("HTTP/1.1 4"));
    assert!(got(&stage, "/INDEX.HTM").starts_with("HTTP/1.1 404"));
}

#[test]
fn letters_and_folders_are_as_the_profile_says() {
    let files = [("/Portal/Start.htm", "start"), ("/Portal/sub/x.txt", "x")];
    let listed = staged("[http.pages]\nignore-case = true\nfolders = 'list'", &files);
    assert_eq!(page(&listed, "/PORTAL/start.HTM"), "start");
    let list = page(&listed, "/portal/");
    assert!(list.contains("<a href=\"start.htm\">") && list.contains("<a href=\"sub/\">"), "{list}");
    let forbidden = staged("[http.pages]\nfolders = 'forbidden'", &files);
    assert!(got(&forbidden, "/Portal/").starts_with("HTTP/1.1 403"));
}

#[test]
fn a_page_is_rendered_again_when_what_it_shows_has_changed() {
    let stage = staged("", &[("/level.htm", "{{ tags.level }}"), ("/clock.htm", "{{ device.clock | date('%S') }}")]);
    let level = stage.device.still().find("level").unwrap();
    assert_eq!(page(&stage, "/level.htm"), "3.5");
    stage.device.still().set(level, Value::Real(4.0));
    assert_eq!(page(&stage, "/level.htm"), "4.0");
    assert!(got_later(&stage, "/clock.htm", Duration::from_secs(7)).ends_with("\n07"));
    assert!(got_later(&stage, "/clock.htm", Duration::from_secs(8)).ends_with("\n08"));
}

#[test]
fn a_page_that_cannot_be_shown_is_stopped_and_the_record_says_why() {
    let endless = "{% for a in range(90000) %}{% for b in range(90000) %}x{% endfor %}{% endfor %}";
    let long = "{% for a in range(1100) %}{% for b in range(10) %}{{ l }}{% endfor %}{% endfor %}";
    let long = format!("{{% set l = '{}' %}}{long}", "x".repeat(100));
    let stage = staged(
        "[http.routes]\n'/place' = { redirect = '{{ [1] - 1 }}' }",
        &[
            ("/loop.htm", endless),
            ("/self.htm", "{% include '/self.htm' %}{{ 1 }}"),
            ("/long.htm", &long),
            ("/wrong.htm", "{{ [1] - 1 }}"),
            ("/outer.htm", "{% include '/loop.htm' %}"),
        ],
    );
    let steps = "the page takes too many steps to be rendered";
    for (path, why) in [
        ("/loop.htm", steps),
        ("/outer.htm", steps),
        ("/self.htm", "the page could not be rendered"),
        ("/wrong.htm", "the page could not be rendered"),
        ("/place", "the page could not be rendered"),
        ("/long.htm", "the page is too long to be rendered"),
    ] {
        let mut talk = Talk::start(&stage, "http", stage.started).unwrap();
        talk.receive(format!("GET {path} HTTP/1.1\r\nHost: plc\r\n\r\n").as_bytes()).unwrap();
        assert!(talk.take_answer().starts_with(b"HTTP/1.1 500 "), "{path}");
        let events = talk.take_events();
        assert!(events.iter().any(|event| event.contains(why)), "{path}: {events:?}");
    }
}

#[test]
fn mistakes_are_told_all_at_once_each_with_its_place() {
    let told = mistakes(
        "[http.pages]\nmodified = 'soon'\nrealm = '{nowhere}'\n\
         [http.pages.errors]\n404 = '/eror.htm'\n99 = '/index.htm'\n\
         [http.routes]\n\
         no-slash = { text = 'x' }\n\
         '/a' = { file = '/indx.htm' }\n\
         '/b' = { text = 'x{{ tags.levl }}' }\n\
         '/c' = { alias = '/d' }\n\
         '/d' = { alias = '/c' }\n\
         '/e' = { text = 'x', headers = ['no field', 'Content-Length: 1', 'Content-Type: x'], methods = ['GETS'] }\n\
         '/f' = { text = 'x', writes = ['pmp'], login = ['nobody'] }\n\
         '/g' = { text = 'x', writes = { level = { toggle = true }, pump = { scale = 2.0 } } }\n\
         '/h' = { upload = { to = '/nowhere' }, text = 'x' }\n\
         '/i' = { tree = '/' }\n\
         '/j' = { login = true }\n\
         '/k' = { text = 'x', redirect = '/a' }\n\
         '/l' = { text = 'x', chunks = [0] }\n",
        &[
            ("/index.htm", "<p>\n{{ tags.levle }}\n{{ identity.serail }} {{ tag('pimp').value }}\n{{ 1 | fixd(2) }}"),
            ("/open.htm", "\n{% if x %}"),
            ("/names.htm", "{{ tgs.level }}{% include '/indx.htm' %}{{ memory('MW9') }}{{ 1 is ood }}"),
        ],
    );
    for expected in [
        "http.pages.modified: `soon` is no time; write a date, a date and a time with `Z`, an age as 400d, or boot @ 'soon'",
        "http.pages.realm: there is no identity `nowhere` (there is: serial) @ '{nowhere}'",
        "http.pages.errors.404.file: there is no page `/eror.htm`",
        "http.pages.errors.99: `99` is no status that a page can tell; they are 300 to 599 @ 99",
        "http.routes.no-slash: a path begins with `/` @ no-slash",
        "http.routes./a.file: there is no page `/indx.htm` (did you mean `/index.htm`?) @ '/indx.htm'",
        "http.routes./b.text: there is no tag `levl` (did you mean `level`?) @ 'x{{ tags.levl }}'",
        "http.routes./c.alias: these aliases lead in a circle, or on too long a way @ '/d'",
        "http.routes./e.headers[0]: `no field` is no header field (write it as `Name: value`) @ 'no field'",
        "http.routes./e.headers[1]: `Content-Length` is no field of a page (the server writes it itself)",
        "http.routes./e.headers[2]: `Content-Type` is no field of a page (say it as `type`)",
        "http.routes./e.methods[0]: there is no method of a page `GETS` (did you mean `GET`?) @ 'GETS'",
        "http.routes./f.writes.pmp: there is no tag `pmp` (did you mean `pump`?) @ ['pmp']",
        "http.routes./f.login: there is no user of the web server or group `nobody`",
        "http.routes./g.writes.level: `level` is no BOOL, which alone is turned over or pulsed",
        "http.routes./g.writes.pump: `pump` is no number, and has neither scale nor bounds",
        "http.routes./h.upload.to: the device has no folder `/nowhere` (add \"/nowhere/\" = {} to [files.entries])",
        "http.routes./i.tree: a tree stands at a path that ends in `*` (write \"/i/*\") @ '/'",
        "http.routes./j: there is no page at `/j` (put `www/j` beside the profile, or say `file`, `text`, `redirect` or `status`)",
        "http.routes./k: only one of `file`, `text` and `redirect` can be shown",
        "http.routes./l.chunks[0]: a chunk of no bytes is the last one @ 0",
        "www/index.htm:2: there is no tag `levle` (did you mean `level`?)",
        "www/index.htm:3: there is no identity `serail` (did you mean `serial`?)",
        "www/index.htm:3: there is no tag `pimp` (did you mean `pump`?)",
        "www/index.htm:4: there is no filter `fixd` (did you mean `fixed`?)",
        "www/open.htm:2: unexpected end of input",
        "www/names.htm:1: there is no name `tgs` (did you mean `tags`?)",
        "www/names.htm:1: there is no page to include `/indx.htm` (did you mean `/index.htm`?)",
        "www/names.htm:1: `%MW9` lies in a memory that this device does not have",
        "www/names.htm:1: there is no test `ood` (did you mean `odd`?)",
    ] {
        assert!(told.iter().any(|told| told.starts_with(expected)), "{expected}\n{told:#?}");
    }
}
