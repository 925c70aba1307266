"""Commands that change what other people use: repositories and packages."""

import re

from llmproxy_core.anomaly.dangers import clouds
from llmproxy_core.anomaly.dangers.calls import Call, Rules
from llmproxy_core.anomaly.dangers.danger import Danger
from llmproxy_core.anomaly.reading.names import names

PROTECTED = re.compile(
    r"^\+?(?:[\w/-]+:)?(?:refs/heads/)?(?:main|master|prod|production|release|trunk|develop)$"
)


def judged(call: Call) -> Danger | None:
    """What a call does to what is shared."""
    rule = RULES.get(call.name) or clouds.RULES.get(call.name)
    return rule(call) if rule else None


def _git(call: Call) -> Danger | None:
    words = _after_options(call.args)
    verb, rest = (words[0], words[1:]) if words else ("", [])
    rule = GIT.get(verb)
    found = rule(rest) if rule else None
    if found is None and re.search(
        (
            r"(?i)core\.(?:hookspath|sshcommand|fsmonitor|pager|editor)|credential\.helper"
            r"|http\.sslverify[= ]false|url\..*\.insteadof|alias\.\w+[= ]+!"
        ),
        " ".join(call.args),
    ):
        return Danger(0.65, "medium", "has git run other programs, or trust other servers")
    return found


def _after_options(words: list[str]) -> list[str]:
    at = 0
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in ("-C", "-c", "--git-dir", "--work-tree") else 1
    return words[at:]


def _push(words: list[str]) -> Danger | None:
    short = {
        letter
        for word in words
        if word.startswith("-") and not word.startswith("--")
        for letter in word[1:]
    }
    refs = [word for word in words if not word.startswith("-")][1:]
    if "--mirror" in words or "--prune" in words:
        return Danger(0.85, "high", "makes a shared repository lose what is not here")
    if "f" in short or "--force" in words or any(ref.startswith("+") for ref in refs):
        return Danger(0.85, "high", "overwrites the history of a shared repository")
    if any(word.startswith("--force-with-lease") for word in words):
        return Danger(0.55, "medium", "overwrites the history of a shared branch")
    if "d" in short or "--delete" in words or any(ref.startswith(":") for ref in refs):
        protected = any(PROTECTED.match(ref.lstrip(":")) for ref in refs)
        return Danger(
            0.85 if protected else 0.6, "high" if protected else "medium", "deletes a shared branch"
        )
    return None


def _reset(words: list[str]) -> Danger | None:
    return (
        Danger(0.55, "medium", "throws changes away that were not saved")
        if "--hard" in words
        else None
    )


def _clean(words: list[str]) -> Danger | None:
    short = {
        letter
        for word in words
        if word.startswith("-") and not word.startswith("--")
        for letter in word[1:]
    }
    if "n" in short or "--dry-run" in words:
        return None
    return (
        Danger(0.55, "medium", "deletes files that git does not keep")
        if short & {"f"} and short & {"d", "x", "X"}
        else None
    )


def _rewritten(words: list[str]) -> Danger | None:
    return Danger(0.75, "high", "rewrites the whole history of a repository")


def _restored(words: list[str]) -> Danger | None:
    if "--staged" in words and "--worktree" not in words:
        return None
    return (
        Danger(0.5, "medium", "throws changes away that were not saved")
        if "." in words or "*" in words
        else None
    )


def _branch(words: list[str]) -> Danger | None:
    forced = {"-D"} & set(words) or (
        {"-d", "--delete"} & set(words) and {"-f", "--force"} & set(words)
    )
    return (
        Danger(0.5, "low", "deletes a branch")
        if forced and any(PROTECTED.match(word) for word in words)
        else None
    )


def _reference(words: list[str]) -> Danger | None:
    return Danger(0.6, "medium", "deletes a branch") if "-d" in words else None


def _reflog(words: list[str]) -> Danger | None:
    return (
        Danger(0.7, "high", "deletes what git keeps for undoing")
        if words[:1] in (["expire"], ["delete"])
        else None
    )


def _stash(words: list[str]) -> Danger | None:
    return (
        Danger(0.5, "medium", "throws changes away that were put aside")
        if words[:1] == ["clear"]
        else None
    )


GIT = {
    "push": _push,
    "reset": _reset,
    "clean": _clean,
    "filter-branch": _rewritten,
    "filter-repo": _rewritten,
    "checkout": _restored,
    "restore": _restored,
    "branch": _branch,
    "reflog": _reflog,
    "update-ref": _reference,
    "stash": _stash,
}


def _published(call: Call) -> Danger | None:
    words = [word for word in call.args if not word.startswith("-")]
    if (
        words[:1] in (["publish"], ["unpublish"], ["yank"], ["upload"], ["push"])
        and "--dry-run" not in call.args
    ):
        return Danger(0.6, "medium", "publishes or withdraws a package for everybody")
    if (
        call.name in ("npm", "yarn", "pnpm")
        and "registry" in " ".join(words)
        and words[:2] == ["config", "set"]
    ):
        return Danger(0.65, "medium", "has packages come from somewhere else")
    return None


def _packages(call: Call) -> Danger | None:
    """Packages from an address rather than from the index, or from another index."""
    words = call.args
    if "install" not in words and "add" not in words:
        return _published(call)
    said = " ".join(words)
    other = call.value("--index-url", "-i", "--extra-index-url", "--registry", "--trusted-host")
    if other and not re.search(
        r"(?i)pypi\.org|pytorch\.org|npmjs\.org|nvidia\.com|localhost|127\.0\.0\.1|\.internal\b",
        other,
    ):
        return Danger(0.6, "medium", "takes packages from another place than usual")
    if re.search(r"(?<!git\+)\bhttp://(?!localhost|127\.)", said):
        return Danger(0.6, "medium", "installs a package over an open connection")
    return None


def _github(call: Call) -> Danger | None:
    words = [word for word in call.args if not word.startswith("-")]
    if words[1:2] == ["delete"] and words[0] in ("repo", "release", "secret", "ssh-key"):
        return Danger(
            0.9 if words[0] == "repo" else 0.6,
            "critical" if words[0] == "repo" else "medium",
            "deletes something shared on GitHub",
        )
    if (
        words[:2] == ["auth", "token"]
        or words[:2] == ["ssh-key", "add"]
        or (words[:2] == ["repo", "edit"] and "public" in " ".join(call.args))
    ):
        return Danger(0.65, "high", "hands out a token, or opens a repository")
    if words[:1] == ["api"] and re.search(r"(?i)(?:-X|--method)[ =]?DELETE", " ".join(call.args)):
        return Danger(0.7, "high", "deletes something shared on GitHub")
    return None


RULES: Rules = {
    "git": _git,
    **dict.fromkeys(names("gh glab"), _github),
    **dict.fromkeys(names("npm yarn pnpm pip pip3 uv pipx gem"), _packages),
    **dict.fromkeys(names("twine cargo poetry flit hatch"), _published),
}
