"""Files and addresses that matter: where credentials are kept, and what runs at a later time."""

import posixpath
import re
from typing import Literal

from llmproxy_core.anomaly.finding import Severity

LONGEST = 300
"""Characters of a path that are looked at, from its end."""
CREDENTIALS = re.compile(
    r"""(?ix)
    (?:^|[/\\~}@=:'"\s<(*])
    (?: \.ssh(?:/?$|/?\s|/(?:id_[a-z0-9_]+(?!\.pub)\b|identity\b(?!\.pub)|\*|$|[\w.-]+\.(?:pem|key)\b))
      | id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?(?![\w.-]*\.pub)(?=$|[\s'"|;)>&/])
      | \.aws/?(?:credentials|sso/cache|config\b|\*|$)
      | \.(?:netrc|pgpass|my\.cnf|git-credentials|pypirc|vault-token|s3cfg|boto|htpasswd)\b
      | \.npmrc\b | \.docker/config\.json | \.kube/config\b | \.kube/?$
      | \.config/gcloud(?:/|$) | application_default_credentials\.json
      | \.azure/(?:accessTokens|msal_token_cache|azureProfile|service_principal)[\w.]*
      | \.config/(?:gh/hosts\.ya?ml|hub|rclone/rclone\.conf|doctl/config\.ya?ml|op/|solana/id\.json)
      | \.(?:gnupg|password-store)(?:/|$) | \.terraform\.d/credentials[\w.]*
      | \.cargo/credentials(?:\.toml)? | \.m2/settings(?:-security)?\.xml | \.gem/credentials
      | \.claude/\.credentials\.json | \.codex/auth\.json | \.gemini/oauth_creds\.json
      | etc/(?:g?shadow|sudoers|krb5\.keytab|ssl/private|kubernetes/(?:admin\.conf|pki)
    |ssh/ssh_host_\w+_key(?!\.pub)\b)
      | library/keychains(?:/|$) | login\.keychain(?:-db)?\b
      | (?:login\ data|local\ state|key[34]\.db|logins\.json|cookies\.sqlite
    |cookies\.binarycookies|wallet\.dat)\b
      | proc/(?:self|\d+|\*|\$\w+)/environ | secrets/kubernetes\.io/serviceaccount
      | run/secrets/[\w.-]+ | ntds\.dit | config\\(?:sam|system|security)\b
      | microsoft\\(?:credentials|protect)\b | service[-_]?account[\w-]*\.json
    | client_secret[\w-]*\.json
      | (?:private|privkey|server|tls|signing)[-_.]?key\.pem | secrets?\.(?:ya?ml|json|toml|txt)\b
      | credentials?\.(?:json|ya?ml|txt|csv|xml)\b
    )"""
)
ENV_FILE = re.compile(
    r"""(?ix)(?:^|[/\\~}@=:'"\s<(])\.env
    (?!\.(?:example|sample|template|dist|defaults?|schema|test|ci)\b)(?:\.\w+|rc)?(?=$
    |[\s'"|;)>&*])"""
)
METADATA = re.compile(
    r"(?i)169\.254\.(?:169\.254|170\.2)|metadata\.google\.internal|100\.100\.100\.200"
    r"|\[?fd00:ec2::254\b"
    r"|0xa9fea9fe|2852039166|metadata\.azure\.com|\b(?:http://)?instance-data"
    r"(?:\.ec2\.internal)?/latest"
)
STARTUP = re.compile(
    r"""(?ix)(?:^|[/\\~}])
    (?: \.(?:bash|zsh|k|tcsh|csh)rc$ | \.(?:bash_|z)?(?:profile|login|logout|aliases)$
    | \.zshenv$ | \.zlogin$
      | \.profile$ | \.inputrc$ | \.xinitrc$ | \.xprofile$ | \.config/fish/(?:config\.fish
    |conf\.d/.+)$
      | etc/(?:profile|bash\.bashrc|bashrc|zshrc|environment|rc\.local|zsh/\w+)$ | etc/profile\.d/.+
      | etc/(?:cron[\w.]*(?:/.+)?|systemd/system/.+|init\.d/.+|ld\.so\.preload|pam\.d/.+
    |sudoers(?:\.d/.+)?)$
      | var/spool/cron/.+ | lib/systemd/system/.+ | \.config/(?:systemd/user|autostart)/.+
      | library/launch(?:agents|daemons)/.+ | start\ menu\\programs\\startup\\.+
      | \.ssh/(?:authorized_keys2?|config|rc|environment)$ | sshd_config$
      | profile\.ps1$ | _profile\.ps1$ | \.pythonstartup$ | sitecustomize\.py$ | usercustomize\.py$
      | site-packages/[\w.-]+\.pth$ | \.gitconfig$ | etc/(?:passwd|shadow|group|hosts)$
      | \.vscode/tasks\.json$ | \.envrc$ | \.direnvrc$
    )"""
)
PIPELINE = re.compile(
    r"""(?ix)(?:^|[/\\])
    (?: \.git/hooks/[\w.-]+ | \.husky/[\w./-]+ | \.git/config
      | \.github/workflows/.+\.ya?ml | \.github/actions/.+
      | \.gitlab-ci\.ya?ml | \.circleci/config\.ya?ml | jenkinsfile | azure-pipelines\.ya?ml
      | bitbucket-pipelines\.ya?ml | \.travis\.ya?ml | \.drone\.ya?ml | \.buildkite/.+
    | cloudbuild\.ya?ml
      | \.woodpecker(?:\.ya?ml|/.+) | \.pre-commit-config\.ya?ml
      | \.(?:claude|cursor|codex|gemini)/(?:settings(?:\.local)?\.json|mcp\.json|hooks\.json
    |config\.toml|hooks/.+)
      | \.mcp\.json
    )$"""
)
SYSTEM = re.compile(
    r"(?ix)^/\*+$|^(?:/(?:bin|boot|dev|etc|lib|lib32|lib64|opt|proc|root|sbin|srv|sys|usr|var"
    r"|home|users|system"
    r"|library|applications|private|windows|mnt|media|run)?(?:/(?:bin|lib|share|local|log"
    r"|www))?)(?:/\*+)?/?$"
)
HOME = re.compile(
    r"(?ix)^(?:~[\w-]*|\$\{?HOME\}?|%userprofile%|\$env:userprofile|/root|/(?:home|users)/[^/]+)"
    r"(?:/\.?\*+|/)*$"
)
HERE = re.compile(
    r"^(?:\.|\./|\.\.|\.\./|\*|\./\*|\.\*|\.\./\*|\$\{?PWD\}?(?:/\*?)?|\$\(pwd\)(?:/\*?)?|`pwd`)$"
)
WINDOWS = re.compile(
    r"(?i)^[a-z]:[\\/]*(?:\*(?:\.\*)?|windows|users|program files(?: \(x86\))?)?[\\/]*\*?$"
)
EMPTY_VARIABLE = re.compile(r"^\$\{?[A-Za-z_]\w*\}?/+\*?$")
DISK = re.compile(
    r"^(?:of=)?(?:/dev/(?:sd[a-z]|hd[a-z]|vd[a-z]|xvd[a-z]|nvme\d+n?\d*|mmcblk\d+|disk\d+"
    r"|rdisk\d+|mapper/|dm-\d+"
    r"|mem\b|kmem|md\d+|loop\d+)|\\\\\.\\PhysicalDrive\d)"
)

PART = re.compile(
    r"^/(?:etc|usr|boot|lib|lib64|bin|sbin|opt|var/(?:lib|spool|mail|www|backups))/[^/]+(?:/[^/]+)?/?$"
)

type Breadth = Literal["everything", "home", "here", "disk", "part"]


def credential(text: str) -> tuple[Severity, str] | None:
    """How bad it is that a path is read, and a name for what is there."""
    if METADATA.search(text):
        return "critical", "the cloud's metadata service, which hands out credentials"
    if found := CREDENTIALS.search(text) or CREDENTIALS.search(text.replace("\\", "/")):
        return "high", f"{_shown(found[0])}, where credentials are kept"
    if found := ENV_FILE.search(text):
        return "medium", f"{_shown(found[0])}, where programs keep their secrets"
    return None


def persistent(path: str) -> tuple[Severity, str] | None:
    """How bad it is that a path is written, for what runs from there later."""
    path = path.strip()[-LONGEST:].replace("$HOME", "~")
    if found := STARTUP.search(path):
        return "high", f"{_shown(found[0])}, which is obeyed at every start or login"
    if found := PIPELINE.search(path):
        return "medium", f"{_shown(found[0])}, which runs on its own at a later time"
    return None


def breadth(path: str) -> Breadth | None:
    """Is a target of deletion as broad as that?"""
    plain = path.rstrip()
    squeezed = re.sub(r"/(?:\.?/)+", "/", plain) if "//" in plain or "/./" in plain else plain
    if "/.." in squeezed and squeezed[0] in "/~$":
        squeezed = posixpath.normpath(squeezed)
    if DISK.match(plain):
        return "disk"
    if HOME.match(squeezed):
        return "home"
    if SYSTEM.match(squeezed) or WINDOWS.match(plain) or EMPTY_VARIABLE.match(squeezed):
        return "everything"
    if HERE.match(squeezed):
        return "here"
    return "part" if PART.match(squeezed) else None


def _shown(found: str) -> str:
    return found.strip("/\\~}@=:'\"<(* \n\t")[:60]
