r"""What a computer's own audit tells of content: which process had which files in hand, and what it wrote.

Windows says with one event that a process read a file (Security 4663) and with another that it wrote one
(Sysmon 11), never that the one was made of the other. These rules put them together, on the same machine and
by the same process id, within the times of `maker.RECENT`:

- an archiver that read files and wrote one made an archive of them (or unpacked it); a shell too, where what
  it wrote is an archive by its name, and for what it read while it did;
- a process that read a file and wrote one of the same name copied it; one that wrote a file and in the same
  moment deleted another moved it;
- a browser that wrote a file downloaded it: by its hash (Sysmon 15), or it is what the same person has just
  exported from the case system under that name;
- a browser that read a file has it in hand for the upload that the proxy logs for the same person next.

They are put as content identities, so that lineage needs to know nothing of them: `path:<host>:<path>`, and
those of `maker.RECENT` for what a process or person had in hand.
"""

from __future__ import annotations

from streams.enrich.egress import upload_size
from streams.event import Fields, first, strings

_ARCHIVERS = frozenset(
    {
        "7z.exe", "7za.exe", "7zfm.exe", "7zg.exe", "bandizip.exe", "peazip.exe", "rar.exe", "tar.exe",
        "winrar.exe", "winzip32.exe", "winzip64.exe", "zip.exe",
    }
)  # fmt: skip
_SHELLS = frozenset({"cmd.exe", "dllhost.exe", "explorer.exe", "powershell.exe", "pwsh.exe"})
_BROWSERS = frozenset({"brave.exe", "chrome.exe", "firefox.exe", "iexplore.exe", "msedge.exe", "opera.exe"})
_ARCHIVES = frozenset({"7z", "bz2", "cab", "gz", "rar", "tar", "tgz", "xz", "zip", "zipx", "zst"})


def add_disk_identities(fields: Fields) -> None:
    """Add to `outfall.content.*` what follows from an export, an upload, or a computer's own audit."""
    channel = fields.get("outfall.channel")
    if channel == "web" and fields.get("outfall.egress") is not True:
        return
    actor = _text(fields, "outfall.actor.id")
    if channel == "web":
        if actor and upload_size(fields) and not strings(fields.get("outfall.content.carries")):
            _add(fields, "carries", [f"uploaded:{actor}"])
    elif channel == "case_system":
        if actor and _text(fields, "file.name") and strings(fields.get("outfall.content.produces")):
            _add(fields, "produces", [f"exported:{actor}:{_text(fields, 'file.name')}"])
    else:
        _add_disk(fields, actor)


def _add_disk(fields: Fields, actor: str) -> None:
    action, uses = first(fields.get("event.action")), strings(fields.get("event.type"))
    path, host = _text(fields, "file.path"), _text(fields, "host.name")
    process, pid = _text(fields, "process.name"), _text(fields, "process.pid")
    if not path or not host:
        return
    here = [f"path:{host}:{path}"]
    if action == "file-stream-created" and fields.get("file.hash.sha256"):
        _link(fields, [f"sha256:{fields['file.hash.sha256']}"], here)
    elif action == "file-created":
        _link(fields, _written_from(process, f"{host}:{pid}", _name(path), actor), here)
    elif action == "object-accessed" and fields.get("outfall.channel") == "removable" and "change" in uses:
        _add(fields, "carries", [f"copied:{host}:{pid}:{_name(path)}"])
    elif action == "object-accessed" and "deletion" in uses and process in _SHELLS:
        _link(fields, here, [f"moved:{host}:{pid}"])
    elif action == "object-accessed" and "access" in uses:
        _link(fields, here, _in_hand(process, f"{host}:{pid}", _name(path), actor))


def _in_hand(process: str, where: str, name: str, actor: str) -> list[str]:
    """Say as what a process that read a file has it in hand."""
    if process in _ARCHIVERS:
        return [f"archived:{where}"]
    if process in _SHELLS:
        return [f"zipped:{where}", f"copied:{where}:{name}"]
    return [f"uploaded:{actor}"] if process in _BROWSERS and actor else []


def _written_from(process: str, where: str, name: str, actor: str) -> list[str]:
    """Say of what a process made the file that it wrote."""
    if process in _ARCHIVERS:
        return [f"archived:{where}"]
    if process in _BROWSERS and actor:
        return [f"exported:{actor}:{name}"]
    if process not in _SHELLS:
        return []
    whole = [f"zipped:{where}"] if name.rpartition(".")[2] in _ARCHIVES else []
    return [*whole, f"copied:{where}:{name}", f"moved:{where}"]


def _link(fields: Fields, made_from: list[str], made: list[str]) -> None:
    if made_from and made:
        _add(fields, "from", made_from)
        _add(fields, "produces", made)


def _add(fields: Fields, kind: str, identities: list[str]) -> None:
    name = f"outfall.content.{kind}"
    fields[name] = [*dict.fromkeys([*strings(fields.get(name)), *identities])]


def _name(path: str) -> str:
    return path.replace("/", "\\").rpartition("\\")[2]


def _text(fields: Fields, name: str) -> str:
    """Give a field's first value in lower case; empty where there is none."""
    value = first(fields.get(name))
    return "" if value is None else str(value).lower()
