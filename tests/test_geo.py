"""Where sources are, by files in MaxMind's format that are made here."""

import subprocess

import pytest
from conftest import DEMO, Peer, honeyplant, site, wait_until
from mmdb_writer import MMDBWriter
from netaddr import IPSet

CITY = {
    "continent": {"code": "EU", "names": {"en": "Europe"}},
    "country": {"iso_code": "DE", "names": {"en": "Germany", "de": "Deutschland"}},
    "subdivisions": [{"iso_code": "BE", "names": {"en": "Land Berlin"}}],
    "city": {"names": {"en": "Berlin"}},
    "location": {"latitude": 52.52, "longitude": 13.405, "time_zone": "Europe/Berlin"},
    "postal": {"code": "10115"},
}
ASN = {"autonomous_system_number": 64496, "autonomous_system_organization": "Example Net"}
IPINFO = {"country": "DE", "country_name": "Germany", "continent": "EU", "asn": "AS64497", "as_name": "Flat Example"}


def database(path, kind, record, version=6):
    writer = MMDBWriter(version, kind, languages=["en"], ipv4_compatible=version == 6)
    writer.insert_network(IPSet(["127.0.0.0/8"]), record)
    writer.to_db_file(str(path))


def asked(plant):
    """The source of a new session, as its end tells it."""
    before = len(plant.events("closed"))
    with Peer((DEMO[0], 502)) as peer:
        peer.ask("03 0000 0001")
    wait_until(lambda: len(plant.events("closed")) > before, "the session to end")
    return plant.events("closed")[-1]["source"]


def serve(plant, folder, settings):
    site(folder, more=f"[geo]\n{settings}", plc=DEMO[0])
    return plant.start(folder, listens=(DEMO[0], 502))


@pytest.mark.parametrize("version", [4, 6])
def test_city_and_network_are_told(plant, tmp_path, version):
    database(tmp_path / "city.mmdb", "GeoLite2-City", CITY, version)
    database(tmp_path / "asn.mmdb", "GeoLite2-ASN", ASN, version)
    serve(plant, tmp_path, 'city = "city.mmdb"\nasn = "asn.mmdb"')
    source = asked(plant)
    assert source["geo"] == {
        "continent_code": "EU",
        "continent_name": "Europe",
        "country_iso_code": "DE",
        "country_name": "Germany",
        "region_iso_code": "DE-BE",
        "region_name": "Land Berlin",
        "city_name": "Berlin",
        "postal_code": "10115",
        "timezone": "Europe/Berlin",
        "location": {"lat": 52.52, "lon": 13.405},
    }
    assert source["as"] == {"number": 64496, "organization": {"name": "Example Net"}}
    assert all(event["source"]["geo"]["city_name"] == "Berlin" for event in plant.events("read"))
    told = honeyplant("--state", plant.state, "check", tmp_path)
    assert "geo.city: GeoLite2-City, built 0 days ago" in told and "geo.asn: GeoLite2-ASN" in told, told


@pytest.mark.parametrize(
    ("kind", "record", "country"),
    [
        ("DBIP-Country-Lite", {"country": {"iso_code": "FR", "names": {"en": "France"}}}, ("FR", "France")),
        ("ipinfo generic_country_asn.mmdb", IPINFO, ("DE", "Germany")),
        ("ipinfo standard_location.mmdb", {"country": "NL", "city": "Delft", "lat": "52.01", "lng": "4.36"}, ("NL", None)),
    ],
)
def test_other_makers_files(plant, tmp_path, kind, record, country):
    database(tmp_path / "places.mmdb", kind, record)
    serve(plant, tmp_path, 'city = "places.mmdb"')
    source = asked(plant)
    assert (source["geo"]["country_iso_code"], source["geo"].get("country_name")) == country
    assert ("as" in source) == ("asn" in record)


def test_mistakes_are_told_with_key_and_hint(tmp_path):
    (tmp_path / "packed.mmdb").write_bytes(subprocess.run(["gzip"], input=b"x" * 999, capture_output=True).stdout)
    database(tmp_path / "asn.mmdb", "GeoLite2-ASN", ASN)
    for settings, key, words in [
        ('city = "none.mmdb"', "geo.city", "No such file"),
        ('city = "packed.mmdb"', "geo.city", "is no MaxMind DB"),
        ('city = "asn.mmdb"', "geo.city", "GeoLite2-ASN, which knows no cities or countries"),
        ('asn = "none.mmdb"\ncity = "packed.mmdb"', "geo.asn", "2 problems in all"),
        ('cities = "x"', "geo.cities", "setting"),
    ]:
        site(tmp_path, more=f"[geo]\n{settings}", plc=DEMO[0])
        told = honeyplant("--state", tmp_path / "state", "check", tmp_path, code=1)
        assert key in told and words in told and "help" in told, told
