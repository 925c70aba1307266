"""The runtimes that may be on this machine, and a tiny program for each that calls a provider."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

URL = "https://api.openai.com/"
TIMEOUT = 20.0
NOT_INSTALLED = 77

URLLIB = """
import sys, urllib.error, urllib.request
try:
    urllib.request.urlopen(urllib.request.Request(sys.argv[1], method="HEAD"), timeout=15)
except urllib.error.HTTPError:
    pass
"""
LIBRARY = """
import sys
try:
    import LIBRARY
except ImportError:
    sys.exit(77)
LIBRARY.head(sys.argv[1], timeout=15)
"""
NODE = """
fetch(process.argv[1], { method: "HEAD" }).catch((error) => {
  console.error(String(error.cause?.code ?? error.cause ?? error));
  process.exit(1);
});
"""
NODE_TRUST = """
const http = require("http"), tls = require("tls");
const proxy = new URL(process.env.HTTPS_PROXY), host = new URL(process.argv[1]).hostname;
const ask = { host: proxy.hostname, port: proxy.port, method: "CONNECT", path: host + ":443" };
if (proxy.username) {
  const login = decodeURIComponent(proxy.username) + ":" + decodeURIComponent(proxy.password);
  ask.headers = { "Proxy-Authorization": "Basic " + Buffer.from(login).toString("base64") };
}
http.request(ask).on("connect", (answer, socket) => {
  tls.connect({ socket, servername: host }, () => process.exit(0))
    .on("error", (error) => { console.error(error.code); process.exit(1); });
}).on("error", (error) => { console.error(error.code); process.exit(1); }).end();
"""
DENO = """
try { await fetch(Deno.args[0], { method: "HEAD" }); }
catch (error) { console.error(String(error)); Deno.exit(1); }
"""
BUN = """
try { await fetch(process.argv.at(-1), { method: "HEAD" }); }
catch (error) { console.error(String(error.code ?? error)); process.exit(1); }
"""
JAVA = """
import java.net.*;
public class Probe {
    public static void main(String[] arguments) throws Exception {
        HttpURLConnection call = (HttpURLConnection) new URL(arguments[0]).openConnection();
        call.setRequestMethod("HEAD");
        System.out.println(call.getResponseCode());
    }
}
"""


@dataclass(frozen=True, slots=True)
class Runtime:
    """`command` with `{script}` (a file) or the script itself in it, then the URL.

    `advice` is for a runtime that trusts the CA but does not use the proxy.
    """

    name: str
    program: str
    command: tuple[str, ...]
    script: str = ""
    file: str = ""
    java: bool = False
    timeout: float = TIMEOUT
    advice: str = ""


def _python(name: str, program: str) -> Iterator[Runtime]:
    yield Runtime(f"{name} (ssl)", program, ("-c", URLLIB))
    for library in ("requests", "httpx"):
        script = LIBRARY.replace("LIBRARY", library)
        yield Runtime(f"{name} ({library})", program, ("-c", script))


NODE_ADVICE = (
    "fetch of this Node ignores HTTPS_PROXY: use Node 24 or later, or give the program a proxy "
    "agent (undici's EnvHttpProxyAgent). Programs with a proxy setting of their own are fine."
)

RUNTIMES = (
    Runtime("curl", "curl", ("-sS", "-I", "-o", "/dev/null", "--max-time", "15")),
    *_python("this Python", sys.executable),
    *_python("python3", "python3"),
    Runtime("node (trust)", "node", ("-e", NODE_TRUST)),
    Runtime("node (fetch)", "node", ("-e", NODE), advice=NODE_ADVICE),
    Runtime("deno", "deno", ("run", "--allow-net", "{script}"), DENO, "probe.js"),
    Runtime("bun", "bun", ("{script}",), BUN, "probe.mjs"),
    Runtime("java", "java", ("{script}",), JAVA, "Probe.java", java=True, timeout=60),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`status`: the exit status of the tiny program; None: it took too long."""

    status: int | None
    stderr: str


def found() -> Iterator[Runtime]:
    """Those in PATH; a python3 that is this Python is left out."""
    for runtime in RUNTIMES:
        path = shutil.which(runtime.program)
        same = path and runtime.program == "python3" and _is_this_python(path)
        if path and not same:
            yield runtime


def call(runtime: Runtime, environment: Mapping[str, str]) -> Outcome:
    """Run the tiny program."""
    with tempfile.TemporaryDirectory(prefix="llmproxy-doctor-") as folder:
        script = Path(folder) / (runtime.file or "none")
        if runtime.script:
            script.write_text(runtime.script)
        command = [part.replace("{script}", str(script)) for part in runtime.command]
        try:
            done = subprocess.run(
                [runtime.program, *command, URL],
                env=dict(environment),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=runtime.timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Outcome(None, "")
        except OSError as exc:
            return Outcome(126, str(exc))
    return Outcome(done.returncode, done.stderr)


def _is_this_python(path: str) -> bool:
    return Path(path).parent == Path(sys.executable).parent
