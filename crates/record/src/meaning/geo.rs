//! Where an address is, by files that the operator has: those of MaxMind (GeoIP2, GeoLite2), and of DB-IP and IPinfo in the
//! same format. Apart, because nothing else in the record reads them.

use super::Place;
use crate::document::{AutonomousSystem, Geo, Location, Organization};
use honeyplant_core::settings::Problem;
use maxminddb::Reader;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::{
    fmt, fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

/// How often it is looked whether a file was replaced.
const LOOK: Duration = Duration::from_secs(60);
/// The largest file that is read; all of it is held in memory.
const LARGEST: u64 = 2 << 30;
const DAY: u64 = 24 * 3600;

/// The `[geo]` table of a site: files in the format of MaxMind DB, such as GeoLite2 or those of DB-IP and IPinfo. They are read
/// at start, and again within a minute of being replaced.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct GeoSettings {
    /// A file of cities or of countries. A path that is not absolute is one in the folder of the site.
    pub city: Option<PathBuf>,
    /// A file of autonomous systems. A path that is not absolute is one in the folder of the site.
    pub asn: Option<PathBuf>,
}

/// The files, opened.
#[derive(Debug, Default)]
pub struct Atlas {
    volumes: Vec<Volume>,
    looked: Option<Instant>,
}

/// One file.
#[derive(Debug)]
struct Volume {
    key: &'static str,
    path: PathBuf,
    reader: Reader<Vec<u8>>,
    modified: Option<SystemTime>,
}

impl Atlas {
    /// Opens the files of `settings`; `folder` is that of the site.
    pub fn open(settings: &GeoSettings, folder: Option<&Path>) -> Result<Self, Vec<Problem>> {
        let (mut volumes, mut problems) = (Vec::new(), Vec::new());
        for (key, path) in [("geo.city", &settings.city), ("geo.asn", &settings.asn)] {
            let Some(path) = path else { continue };
            let path = folder.map_or_else(|| path.clone(), |folder| folder.join(path));
            match Volume::open(key, path) {
                Ok(volume) => volumes.push(volume),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(Self { volumes, looked: None }) } else { Err(problems) }
    }

    /// A line for each file: what it is and how old.
    pub fn tell(&self, now: SystemTime) -> Vec<String> {
        self.volumes.iter().map(|volume| volume.tell(now)).collect()
    }

    /// Where `address` is.
    pub(crate) fn find(&self, address: IpAddr) -> Arc<Place> {
        let mut place = Place::default();
        for volume in &self.volumes {
            // What the file has no place for, such as an IPv6 address in one of IPv4, it does not know.
            let found = volume.reader.lookup(address).ok().and_then(|found| found.decode::<Value>().ok().flatten());
            if let Some(record) = found {
                place.geo = place.geo.or_else(|| geo(&record));
                place.network = place.network.or_else(|| network(&record));
            }
        }
        Arc::new(place)
    }

    /// Opens anew what was replaced, if it is time to look. What cannot be opened is told, and the old stays in use.
    pub(crate) fn renew(&mut self, now: Instant) -> Vec<String> {
        if self.volumes.is_empty() || self.looked.is_some_and(|looked| now.duration_since(looked) < LOOK) {
            return Vec::new();
        }
        let first = self.looked.replace(now).is_none();
        let mut told = Vec::new();
        for volume in self.volumes.iter_mut().filter(|_| !first) {
            let modified = modified(&volume.path);
            if modified == volume.modified || modified.is_none() {
                continue;
            }
            match Volume::open(volume.key, volume.path.clone()) {
                Ok(new) => *volume = new,
                Err(problem) => {
                    // It is tried again when it changes again.
                    volume.modified = modified;
                    told.push(format!("{}: {}; the file as it was before stays in use", volume.key, problem.message));
                }
            }
        }
        told
    }
}

impl Volume {
    fn open(key: &'static str, path: PathBuf) -> Result<Self, Problem> {
        let shown = path.display();
        let modified = modified(&path);
        let read = fs::metadata(&path).and_then(|about| match about.len() {
            length if length > LARGEST => Err(io::Error::other(format!("it has {length} bytes, more than 2 GiB"))),
            _ => fs::read(&path),
        });
        let octets = read.map_err(|error| {
            let hint = "download it from its maker, or leave the setting out";
            Problem::new(key, format!("cannot read {shown}: {error}")).hint(hint)
        })?;
        let reader = Reader::from_source(octets).map_err(|error| {
            let hint = "the files end in .mmdb; those that are packed (.gz, .tar.gz) must be unpacked first";
            Problem::new(key, format!("{shown} is no MaxMind DB: {error}")).hint(hint)
        })?;
        let kind = reader.metadata().database_type.to_lowercase();
        let places = ["city", "country", "location", "enterprise", "insights", "ipinfo"];
        let fits = match key {
            "geo.asn" => ["asn", "isp", "enterprise", "ipinfo"].iter().any(|word| kind.contains(word)),
            _ => places.iter().any(|word| kind.contains(word)),
        };
        if !fits {
            let (what, example) = match key {
                "geo.asn" => ("autonomous systems", "GeoLite2-ASN.mmdb"),
                _ => ("cities or countries", "GeoLite2-City.mmdb"),
            };
            let kind = &reader.metadata().database_type;
            return Err(Problem::new(key, format!("{shown} is of the type {kind}, which knows no {what}"))
                .hint(format!("name a file such as {example}")));
        }
        Ok(Self { key, reader, modified, path })
    }

    fn tell(&self, now: SystemTime) -> String {
        let about = self.reader.metadata();
        let age = about.build_time().ok().and_then(|built| now.duration_since(built).ok());
        let days = age.map_or(0, |age| age.as_secs() / DAY);
        format!("{}: {}, built {days} day{} ago", self.key, about.database_type, if days == 1 { "" } else { "s" })
    }
}

impl fmt::Display for Atlas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.tell(SystemTime::now()).join("\n"))
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|about| about.modified()).ok()
}

/// The first of the places that has a text.
fn text(record: &Value, places: &[&str]) -> Option<String> {
    let texts = places.iter().filter_map(|place| record.pointer(place)?.as_str());
    texts.map(str::trim).find(|text| !text.is_empty()).map(str::to_owned)
}

/// A number, which some makers write as a text.
fn number(record: &Value, places: &[&str]) -> Option<f64> {
    let values = places.iter().filter_map(|place| record.pointer(place));
    values.filter_map(|value| value.as_f64().or_else(|| value.as_str()?.parse().ok())).find(|number| number.is_finite())
}

/// The shapes are those of MaxMind, which DB-IP has, too, and the flat ones of IPinfo.
fn geo(record: &Value) -> Option<Geo> {
    let two = |text: &String| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    let location = number(record, &["/location/latitude", "/lat", "/latitude"])
        .zip(number(record, &["/location/longitude", "/lng", "/lon", "/longitude"]))
        .filter(|(lat, lon)| lat.abs() <= 90.0 && lon.abs() <= 180.0)
        .map(|(lat, lon)| Location { lat, lon });
    let codes = ["/country/iso_code", "/country_code", "/country", "/registered_country/iso_code"];
    let country = codes.iter().find_map(|place| text(record, &[*place]).filter(two));
    let names = ["/country/names/en", "/country_name", "/country", "/registered_country/names/en"];
    let region = text(record, &["/subdivisions/0/iso_code", "/region_code"]);
    let geo = Geo {
        continent_code: text(record, &["/continent/code", "/continent_code", "/continent"]).filter(two),
        continent_name: text(record, &["/continent/names/en", "/continent_name", "/continent"])
            .filter(|name| name.len() > 2),
        country_name: text(record, &names).filter(|name| name.len() > 2),
        region_iso_code: country
            .as_ref()
            .zip(region)
            .map(|(country, region)| if region.contains('-') { region } else { format!("{country}-{region}") }),
        region_name: text(record, &["/subdivisions/0/names/en", "/region_name", "/region"]),
        city_name: text(record, &["/city/names/en", "/city"]),
        postal_code: text(record, &["/postal/code", "/postal_code"]),
        timezone: text(record, &["/location/time_zone", "/timezone", "/time_zone"]),
        country_iso_code: country,
        location,
    };
    (geo != Geo::default()).then_some(geo)
}

fn network(record: &Value) -> Option<AutonomousSystem> {
    let told = record.pointer("/autonomous_system_number").and_then(Value::as_u64);
    let number = told.and_then(|number| u32::try_from(number).ok()).or_else(|| {
        let text = text(record, &["/asn", "/as_number"])?;
        text.trim_start_matches(['A', 'S', 'a', 's']).parse().ok()
    })?;
    let name = text(record, &["/autonomous_system_organization", "/as_name", "/name", "/organization"]);
    Some(AutonomousSystem { number, organization: name.map(|name| Organization { name }) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    // Both made with mmdb-writer 0.2.7: 198.51.100.0/24 and 2001:db8::/32, with other numbers in each.
    const FIRST: &[u8] = include_bytes!("geo/first.mmdb");
    const SECOND: &[u8] = include_bytes!("geo/second.mmdb");

    fn asn(atlas: &Atlas, address: &str) -> Option<u32> {
        atlas.find(address.parse().unwrap()).network.as_ref().map(|network| network.number)
    }

    #[test]
    fn a_file_that_is_replaced_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("asn.mmdb");
        let dated = |seconds| {
            let file = fs::File::options().append(true).open(&path).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        };
        fs::write(&path, FIRST).unwrap();
        dated(1);
        let settings = GeoSettings { city: None, asn: Some("asn.mmdb".into()) };
        let mut atlas = Atlas::open(&settings, Some(folder.path())).unwrap();
        let start = Instant::now();
        assert!(atlas.renew(start).is_empty());
        assert_eq!(asn(&atlas, "198.51.100.7"), Some(64496));
        assert_eq!(asn(&atlas, "2001:db8::1"), Some(64497));
        assert_eq!(asn(&atlas, "192.0.2.1"), None);

        fs::write(&path, SECOND).unwrap();
        dated(2);
        assert!(atlas.renew(start + LOOK / 2).is_empty());
        assert_eq!(asn(&atlas, "198.51.100.7"), Some(64496), "it is not yet time to look");
        assert!(atlas.renew(start + LOOK).is_empty());
        assert_eq!(asn(&atlas, "198.51.100.7"), Some(64511));

        fs::write(&path, b"half of it").unwrap();
        dated(3);
        let told = atlas.renew(start + 2 * LOOK);
        assert!(told[0].contains("geo.asn") && told[0].contains("stays in use"), "{told:?}");
        assert!(atlas.renew(start + 3 * LOOK).is_empty(), "it is told once");
        fs::remove_file(&path).unwrap();
        assert!(atlas.renew(start + 4 * LOOK).is_empty());
        assert_eq!(asn(&atlas, "198.51.100.7"), Some(64511));
    }

    #[test]
    fn every_makers_shape_is_read() {
        let flat = json!({
            "country": "United States", "country_code": "US", "continent": "North America", "continent_code": "NA",
            "city": "Mountain View", "region": "California", "lat": "37.4", "lng": "-122.1", "asn": "AS64496", "as_name": "A",
        });
        let found = geo(&flat).unwrap();
        assert_eq!(
            (found.country_iso_code.as_deref(), found.country_name.as_deref()),
            (Some("US"), Some("United States"))
        );
        assert_eq!((found.continent_code.as_deref(), found.city_name.as_deref()), (Some("NA"), Some("Mountain View")));
        assert_eq!(found.location, Some(Location { lat: 37.4, lon: -122.1 }));
        assert_eq!(network(&flat).unwrap().number, 64496);
        assert!(
            geo(&json!({ "autonomous_system_number": 1 })).is_none() && network(&json!({ "asn": "none" })).is_none()
        );
        let broken = json!({ "location": { "latitude": 1e9, "longitude": "x" }, "country": { "iso_code": "NL" } });
        assert_eq!(geo(&broken).unwrap().location, None);
    }
}
