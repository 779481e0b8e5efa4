"""Settings: wrong ones are told all at once, the command line wins, secrets stay secret."""

import argparse
import os
from pathlib import Path
from typing import Annotated, ClassVar

import pytest
from pydantic import Field, SecretStr

from kensoku.errors import SettingInvalid
from kensoku.settings import (
    ServiceSettings,
    add_flags,
    check_settings,
    describe,
    load_settings,
    mask,
    mask_value,
    misspelt,
    misspelt_beside_others,
    overrides,
    socket_path,
)


class Probe(ServiceSettings):
    flag_prefix: ClassVar[str] = "probe_"

    probe_window_s: Annotated[float, Field(gt=0, description="length of a window, s")] = 30.0
    probe_is_strict: Annotated[bool, Field(description="refuse more")] = False
    probe_token: Annotated[SecretStr | None, Field(min_length=8, description="for the source")] = None


class Needy(ServiceSettings):
    needy_source: Annotated[Path, Field(description="where the waveforms are")]


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("KENSOKU_"):
            monkeypatch.delenv(name)


def parsed(*arguments: str) -> dict[str, object]:
    parser = argparse.ArgumentParser()
    add_flags(parser, Probe)
    return overrides(parser.parse_args(arguments), Probe)


# --- where a value comes from -----------------------------------------------------------------------------------------


def test_the_environment_overrides_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KENSOKU_PROBE_WINDOW_S", "12.5")
    assert load_settings(Probe).probe_window_s == 12.5


def test_the_command_line_overrides_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KENSOKU_PROBE_WINDOW_S", "12.5")
    monkeypatch.setenv("KENSOKU_PROBE_IS_STRICT", "true")
    given = parsed("--window-s", "7", "--no-is-strict", "--port", "0")
    loaded = load_settings(Probe, given)
    assert (loaded.probe_window_s, loaded.probe_is_strict, loaded.port) == (7.0, False, 0)


def test_options_that_were_not_given_override_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KENSOKU_PORT", "9000")
    assert parsed() == {}
    assert load_settings(Probe, {"port": None}).port == 9000


def test_a_secret_is_no_option() -> None:
    with pytest.raises(SystemExit):
        parsed("--token", "abcdefghij")


def test_state_lives_where_xdg_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/srv/state")
    assert load_settings(Probe).home == Path("/srv/state/kensoku")
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/mia")
    assert load_settings(Probe).home == Path("/home/mia/.local/state/kensoku")
    assert load_settings(Probe, {"home": "~/elsewhere"}).home == Path("/home/mia/elsewhere")


def test_the_socket_has_an_absolute_path_wherever_home_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert socket_path(Path("state")) == tmp_path.resolve() / "state/run/bus.sock"


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings(Probe).port = 1


# --- what is wrong ----------------------------------------------------------------------------------------------------


def test_all_wrong_settings_are_told_at_once_by_their_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KENSOKU_BUS", "rabbit://x")
    monkeypatch.setenv("KENSOKU_LOG_FORMAT", "xml")
    with pytest.raises(SettingInvalid) as raised:
        load_settings(Probe, {"probe_window_s": "-1", "port": "99999"})
    lines = str(raised.value).split("\n  ")
    assert lines[0] == "4 wrong settings:"
    assert sorted(line.partition(":")[0] for line in lines[1:]) == [
        "--port",
        "--window-s",
        "KENSOKU_BUS",
        "KENSOKU_LOG_FORMAT",
    ]
    assert any("found 'rabbit://x'" in line and "memory:// or kafka://host:port" in line for line in lines)
    assert any("found '-1': input should be greater than 0 (length of a window, s)" in line for line in lines)


def test_what_is_wrong_about_several_parts_is_told_at_once_and_what_they_share_once() -> None:
    with pytest.raises(SettingInvalid) as raised:
        check_settings((Probe, {"port": "x", "probe_window_s": "0"}), (Needy, {"port": "x"}))
    lines = str(raised.value).split("\n  ")
    assert [line.partition(":")[0] for line in lines] == [
        "3 wrong settings",
        "--port",
        "--window-s",
        "KENSOKU_NEEDY_SOURCE or --needy-source",
    ]


def test_a_missing_setting_is_named_with_both_ways_to_give_it() -> None:
    with pytest.raises(SettingInvalid, match=r"1 wrong setting:") as raised:
        load_settings(Needy)
    expected = "KENSOKU_NEEDY_SOURCE or --needy-source: found nothing, expected a value (where the waveforms are)"
    assert expected in str(raised.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bus", "kafka://"),
        ("bus", "memory:/x"),
        ("bus_wait_s", "0"),
        ("bus_wait_s", "nan"),
        ("namespace", "a.b"),
        ("namespace", "UPPER"),
        ("models", "cuda"),
        ("port", "-1"),
        ("port", "http"),
        ("host", ""),
        ("log_level", "debug"),
    ],
)
def test_a_wrong_value_is_refused(name: str, value: str) -> None:
    with pytest.raises(SettingInvalid, match="1 wrong setting:"):
        load_settings(ServiceSettings, {name: value})


def test_a_misspelt_variable_gets_a_hint() -> None:
    environment = {"KENSOKU_PROT": "1", "KENSOKU_PROBE_WINDOWS": "2", "KENSOKU_PORT": "3", "KENSOKU_XYZZY": "4"}
    assert misspelt([ServiceSettings, Probe], environment) == [
        "found the variable KENSOKU_PROBE_WINDOWS, which is no setting; did you mean KENSOKU_PROBE_WINDOW_S?",
        "found the variable KENSOKU_PROT, which is no setting; did you mean KENSOKU_PORT?",
    ]


def test_a_service_knows_its_own_and_the_shared_settings_by_their_misspelt_names() -> None:
    wrong = {"KENSOKU_PROBE_WINDOW": "1", "KENSOKU_MODLES": "2", "KENSOKU_BSU": "3", "KENSOKU_LOG_FROMAT": "4"}
    assert [sentence.split("mean ")[1] for sentence in misspelt_beside_others(Probe, wrong)] == [
        "KENSOKU_PROBE_WINDOW_S?",
        "KENSOKU_BUS?",
        "KENSOKU_LOG_FORMAT?",
        "KENSOKU_MODELS?",
    ]


def test_an_option_tells_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed("--help")
    shown = " ".join(capsys.readouterr().out.split())
    assert "length of a window, s (default: 30) [KENSOKU_PROBE_WINDOW_S]" in shown
    assert "refuse more (default: no) [KENSOKU_PROBE_IS_STRICT]" in shown
    assert "for a system of its own [KENSOKU_NAMESPACE]" in shown


# --- secrets ----------------------------------------------------------------------------------------------------------


def test_a_description_shows_settings_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KENSOKU_PROBE_TOKEN", "hush-hush-hush")
    shown = describe(load_settings(Probe, {"bus": "kafka://mia:sesame@broker:9092"}))
    assert "bus=kafka://mia:********@broker:9092" in shown
    assert "probe_window_s=30.0" in shown
    assert "hush" not in shown
    assert "sesame" not in shown


def test_a_description_of_several_parts_tells_once_what_they_share() -> None:
    shown = describe(load_settings(ServiceSettings), load_settings(Needy, {"needy_source": "archive"}))
    assert shown.count("bus=memory://") == 1
    assert shown.endswith("needy_source=archive")


def test_a_wrong_secret_is_refused_without_being_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KENSOKU_PROBE_TOKEN", "hush")
    with pytest.raises(SettingInvalid, match="KENSOKU_PROBE_TOKEN") as raised:
        load_settings(Probe)
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("kafka://u:p@h:1", "kafka://u:********@h:1"),
        ("two http://a:b@c and ftp://d:e@f", "two http://a:********@c and ftp://d:********@f"),
        ("kafka://:p@h:1", "kafka://:********@h:1"),
        ("postgresql+psycopg://u:p/q@h:1/name", "postgresql+psycopg://u:********@h:1/name"),
        ("postgresql+psycopg://u:p@q@h/name", "postgresql+psycopg://u:********@h/name"),
        ("found 'postgresql://h/name?password=p&x=1'", "found 'postgresql://h/name?password=********&x=1'"),
        ("kafka://h:9092", "kafka://h:9092"),
        ("kafka://h:9092,i:9092 namespace= mia@h", "kafka://h:9092,i:9092 namespace= mia@h"),
        ("memory:///run/bus.sock", "memory:///run/bus.sock"),
        ("a:b@c is no address", "a:b@c is no address"),
    ],
)
def test_passwords_in_addresses_are_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


def test_a_password_with_blanks_is_masked_where_all_is_the_address() -> None:
    address = "postgresql://mia:open sesame, @ll@h/name"
    assert mask_value(address) == "postgresql://mia:********@h/name"
    assert "sesame" not in describe(ServiceSettings.model_construct(bus=address))


@pytest.mark.parametrize("found", ["inf", "nan", "-inf"])
def test_numbers_that_are_none_are_refused(found: str) -> None:
    with pytest.raises(SettingInvalid, match=rf"found '?{found}'?: input should be"):
        load_settings(ServiceSettings, {"bus_wait_s": found})
