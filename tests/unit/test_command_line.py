"""What every command line program is expected to answer."""

import pytest

from catchall import __version__
from catchall.cli import main


@pytest.mark.parametrize("asked", ["--version", "version"])
def test_it_says_which_version_it_is(asked: str, monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.argv", ["catchall", asked])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 0
    assert capsys.readouterr().out.strip() == __version__
