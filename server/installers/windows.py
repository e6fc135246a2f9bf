"""The installer script for Windows as text, pure. One file, offline, plain cmd: it runs on Windows 7 as it stands.

It sets the clock first (nothing secure works in the wrong year), then browser policies, no sleep, start at sign-in. The
copy it leaves behind is what starts the screen; ``tongtang.cmd undo`` takes everything back. Rule: what people typed
(a room's name) enters the script as letters, digits and spaces only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

ORIGIN = re.compile(r"^(https?)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]{1,253})(:[0-9]{1,5})?$")
NAME_AS = "9041"
"""Our entry's name in the lists of policies: whatever stands there under 1, 2, 3 is somebody else's."""
BROWSERS = (r"Google\Chrome", r"Microsoft\Edge", "Chromium")
LISTS = ("AutoplayAllowlist", "AudioCaptureAllowedUrls", "VideoCaptureAllowedUrls")
INSECURE = "OverrideSecurityRestrictionsOnInsecureOrigin"
"""A site on plain HTTP inside a school: cameras work there only by this policy."""
PROGRAMS = (
    r"%ProgramFiles%\Google\Chrome\Application\chrome.exe",
    r"%ProgramFiles(x86)%\Google\Chrome\Application\chrome.exe",
    r"%LocalAppData%\Google\Chrome\Application\chrome.exe",
    r"%ProgramFiles(x86)%\Microsoft\Edge\Application\msedge.exe",
    r"%ProgramFiles%\Microsoft\Edge\Application\msedge.exe",
)
FLAGS = (
    "--kiosk --edge-kiosk-type=fullscreen --no-first-run --noerrdialogs --disable-session-crashed-bubble "
    "--autoplay-policy=no-user-gesture-required"
)
CLOCK = (
    "try { $a = [Net.WebRequest]::Create('%s/check/pc'); $a.AllowAutoRedirect = $false; $a.Timeout = 8000; "
    "$d = $a.GetResponse().Headers['Date']; $i = [Globalization.CultureInfo]::InvariantCulture; "
    "Set-Date ([DateTime]::ParseExact($d, 'r', $i, [Globalization.DateTimeStyles]::AssumeUniversal)) } catch { exit 1 }"
)
"""The server's own clock by plain HTTP: works where no time server can be reached, and whatever year it is here."""
TIME_SERVICE = r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time\Config"

Say = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Site:
    """``origin``: what people type. ``plain``: the same host by plain HTTP. ``times``: time servers."""

    origin: str
    times: Sequence[str]

    def __post_init__(self) -> None:
        if not ORIGIN.match(self.origin):
            raise ValueError(self.origin)

    @property
    def secure(self) -> bool:
        return self.origin.startswith("https:")

    @property
    def plain(self) -> str:
        found = ORIGIN.match(self.origin)
        return f"http://{found[2]}" if found and self.secure else self.origin


def harmless(name: str) -> str:
    """What people typed, without anything that cmd reads as more than text."""
    return re.sub(r"\s+", " ", re.sub(r"[^\w\- ]", " ", name)).strip()[:60]


def _echo(sentence: str) -> str:
    """A sentence of ours on the screen: cmd's own signs are quoted."""
    return "echo " + re.sub(r"([&|<>^()])", r"^\1", sentence.replace("%", "%%"))


def script(site: Site, room: str, say: Say, code_page: int) -> str:
    """The whole file with Windows line ends; encode it in the code page."""
    lines = [*_head(site, harmless(room), say, code_page), *_install(site, say), *_start(say), *_undo(site, say)]
    return "\r\n".join(lines) + "\r\n"


def _head(site: Site, room: str, say: Say, code_page: int) -> Iterator[str]:
    yield "@echo off"
    yield f"chcp {code_page} >nul"
    yield "setlocal"
    yield f"rem Tongtang: {room}"
    yield f'set "URL={site.origin}/kiosk"'
    yield r'set "HOME_DIR=%ProgramData%\Tongtang"'
    yield r'set "STARTUP=%ProgramData%\Microsoft\Windows\Start Menu\Programs\StartUp\tongtang.cmd"'
    yield 'if /i "%~1"=="start" goto start'
    yield "net session >nul 2>&1"
    yield "if errorlevel 1 ("
    yield "  " + _echo(say("installers.say.admin"))
    yield "  pause"
    yield "  exit /b 1"
    yield ")"
    yield 'if /i "%~1"=="undo" goto undo'
    yield _echo(say("installers.say.title", room=room))


def _install(site: Site, say: Say) -> Iterator[str]:
    yield ""
    yield _echo(say("installers.say.clock"))
    yield 'tzutil /s "China Standard Time"'
    yield f'powershell -NoProfile -ExecutionPolicy Bypass -Command "{CLOCK % site.plain}"'
    for side in ("Pos", "Neg"):
        yield f"reg add {TIME_SERVICE} /v Max{side}PhaseCorrection /t REG_DWORD /d 0xFFFFFFFF /f >nul"
    yield "sc config w32time start= auto >nul"
    yield "net start w32time >nul 2>&1"
    peers = " ".join(f"{one},0x8" for one in site.times)
    yield f'w32tm /config /manualpeerlist:"{peers}" /syncfromflags:manual /update >nul'
    yield "w32tm /resync /force >nul 2>&1"
    yield _echo(say("installers.say.browser"))
    for key in _policies(site):
        yield f'reg add "{key}" /v {NAME_AS} /t REG_SZ /d "{site.origin}" /f >nul'
    yield _echo(say("installers.say.power"))
    for what in ("standby-timeout-ac", "hibernate-timeout-ac", "monitor-timeout-ac", "disk-timeout-ac"):
        yield f"powercfg /change {what} 0"
    yield "powercfg /hibernate off >nul 2>&1"
    yield r'reg add "HKCU\Control Panel\Desktop" /v ScreenSaveActive /t REG_SZ /d 0 /f >nul'
    yield _echo(say("installers.say.start"))
    yield 'if not exist "%HOME_DIR%" mkdir "%HOME_DIR%"'
    yield r'copy /y "%~f0" "%HOME_DIR%\tongtang.cmd" >nul'
    yield r'> "%HOME_DIR%\on.txt" echo on'
    yield r'> "%STARTUP%" echo @start "" /min cmd /c ""%HOME_DIR%\tongtang.cmd" start"'
    yield _echo(say("installers.say.done"))
    yield "pause"
    yield r'start "" /min cmd /c ""%HOME_DIR%\tongtang.cmd" start"'
    yield "exit /b 0"


def _policies(site: Site) -> Iterator[str]:
    for browser in BROWSERS:
        for name in (*LISTS, *(() if site.secure else (INSECURE,))):
            yield rf"HKLM\SOFTWARE\Policies\{browser}\{name}"


def _start(say: Say) -> Iterator[str]:
    yield ""
    yield ":start"
    yield "w32tm /resync >nul 2>&1"
    for program in PROGRAMS:
        yield f'if not defined BROWSER if exist "{program}" set "BROWSER={program}"'
    yield "if not defined BROWSER ("
    yield "  " + _echo(say("installers.say.no_browser"))
    yield "  pause"
    yield "  exit /b 1"
    yield ")"
    yield ":again"
    yield r'if not exist "%HOME_DIR%\on.txt" exit /b 0'
    yield rf'start "" /wait "%BROWSER%" {FLAGS} --user-data-dir="%LocalAppData%\Tongtang" "%URL%"'
    yield "ping -n 6 127.0.0.1 >nul"
    yield "goto again"


def _undo(site: Site, say: Say) -> Iterator[str]:
    yield ""
    yield ":undo"
    yield r'del /q "%HOME_DIR%\on.txt" "%STARTUP%" 2>nul'
    for key in _policies(site):
        yield f'reg delete "{key}" /v {NAME_AS} /f >nul 2>&1'
    yield _echo(say("installers.say.undone"))
    yield "pause"
    yield "exit /b 0"
