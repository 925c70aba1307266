"""Commands that change what other people use: repositories, clusters, clouds, databases, packages."""

import re

from llmproxy_core.anomaly.dangers.calls import Call
from llmproxy_core.anomaly.dangers.danger import Danger
from llmproxy_core.anomaly.reading import sql
from llmproxy_core.anomaly.reading.names import names

CLOUD_LOSS = re.compile(
    r"(?ix)\b(?:delete-(?:bucket|db-instance|db-cluster|stack|table|cluster|user|role|volume"
    r"|snapshot|function|vpc|key|secret|objects?|repository|file-system|log-group|trail"
    r"|hosted-zone)"
    r"|terminate-instances|schedule-key-deletion|deregister-image|stop-logging|delete-account"
    r"|close-account)\b"
)
CLOUD_SECRETS = re.compile(
    r"(?ix)\bsecretsmanager\s+(?:get-secret-value|batch-get-secret-value)"
    r"|\bssm\s+get-parameters?(?:-by-path)?\b.*--with-decryption"
    r"|\bsts\s+(?:get-session-token|assume-role)\b|\biam\s+create-access-key"
    r"|\bsecrets\s+versions\s+access|\bkeyvault\s+secret\s+(?:show|download)"
    r"|\bauth\s+(?:print-access-token|application-default\s+print-access-token)"
    r"|\baccount\s+get-access-token|\bservice-accounts\s+keys\s+create"
    r"|\bkv\s+get\b|\bconfigure\s+export-credentials"
)
CLOUD_OPEN = re.compile(
    r"(?i)public-read|\"?Principal\"?\s*:\s*\"?\*|AdministratorAccess|0\.0\.0\.0/0|allUsers"
    r"|roles/owner|::/0"
)
NAMESPACED = names(
    "ns namespace namespaces pv persistentvolume pvc node nodes crd crds clusterrole deployment"
    " deployments deploy statefulset sts secret secrets"
)
PROTECTED = re.compile(
    r"^\+?(?:[\w/-]+:)?(?:refs/heads/)?(?:main|master|prod|production|release|trunk|develop)$"
)


def judged(call: Call) -> Danger | None:
    """What a call does to what is shared."""
    rule = RULES.get(call.name)
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
    "push": _push, "reset": _reset, "clean": _clean, "filter-branch": _rewritten, "filter-repo": _rewritten,
    "checkout": _restored, "restore": _restored, "branch": _branch, "reflog": _reflog, "stash": _stash,
}  # fmt: skip


def _kubectl(call: Call) -> Danger | None:
    words = [word for word in call.args if not word.startswith("-")]
    verb = next(
        (
            word
            for word in words
            if word
            in ("delete", "drain", "get", "exec", "apply", "create", "replace", "scale", "cordon")
        ),
        "",
    )
    if verb == "delete":
        if (
            "--all" in call.args
            or "--all-namespaces" in call.args
            or any(word.split("/")[0] in NAMESPACED for word in words)
        ):
            return Danger(0.9, "critical", "deletes parts of a cluster with all that runs in them")
        return Danger(0.6, "medium", "deletes something in a cluster")
    if verb == "drain" or (verb == "scale" and "--replicas=0" in call.args):
        return Danger(0.65, "medium", "stops what runs in a cluster")
    if (
        verb == "get"
        and any(word.split("/")[0] in ("secret", "secrets") for word in words)
        and any(word.startswith(("-o", "--output", "--template")) for word in call.args)
    ):
        return Danger(0.75, "high", "reads the secrets of a cluster")
    if verb == "create" and "cluster-admin" in " ".join(call.args):
        return Danger(0.8, "high", "gives away every right in a cluster")
    return None


def _infrastructure(call: Call) -> Danger | None:
    words = [word for word in call.args if not word.startswith("-")]
    verb = words[0] if words else ""
    if (
        verb in ("destroy", "down")
        or "-destroy" in call.args
        or "--destroy" in call.args
        or (words[:2] == ["state", "rm"])
        or words[:1] == ["taint"]
    ):
        return Danger(0.9, "critical", "takes down the infrastructure that it describes")
    auto = any(word.lstrip("-") in ("auto-approve", "yes", "y") for word in call.args)
    if verb in ("apply", "up") and auto and call.name != "docker-compose":
        return Danger(0.55, "medium", "changes infrastructure without anybody looking")
    return None


def _cloud(call: Call) -> Danger | None:
    said = " ".join(call.args)
    words = [word for word in call.args if not word.startswith("-")]
    if CLOUD_SECRETS.search(said):
        return Danger(0.75, "high", "reads secrets from the cloud")
    if (
        CLOUD_LOSS.search(said)
        or (words[:2] == ["s3", "rb"])
        or (words[:2] == ["s3", "rm"] and "--recursive" in call.args)
    ):
        return Danger(0.85, "critical", "deletes what is kept in the cloud")
    if call.name == "aws" and words[:2] == ["s3", "sync"] and "--delete" in call.args:
        return Danger(0.6, "medium", "deletes what is kept in the cloud")
    if call.name in (
        "gcloud",
        "az",
        "doctl",
        "heroku",
        "flyctl",
        "fly",
        "linode-cli",
        "vercel",
        "railway",
        "oci",
        "ibmcloud",
    ) and re.search(
        r"(?i)(?:^|\s)(?:delete|destroy|apps:destroy|pg:reset|purge|remove|rm)(?:\s|$)", said
    ):
        return Danger(0.8, "high", "deletes what is kept in the cloud")
    if call.name in ("gsutil", "mc", "s3cmd", "rclone") and words[:1] in (
        ["rm"],
        ["rb"],
        ["del"],
        ["purge"],
        ["delete"],
    ):
        broad = call.flags() & {"r", "R", "recursive", "force"} or words[0] in (
            "rb",
            "purge",
            "delete",
        )
        return Danger(0.8, "high", "deletes what is kept in the cloud") if broad else None
    if CLOUD_OPEN.search(said) and re.search(
        r"(?i)\b(?:put|attach|authorize|add|set|create|acl|cp|sync|ch|iam)", said
    ):
        return Danger(0.75, "high", "opens the cloud to everybody, or gives away every right")
    return None


def _containers(call: Call) -> Danger | None:
    words = [word for word in call.args if not word.startswith("-")]
    said = " ".join(call.args)
    if call.name == "docker-compose" or words[:1] == ["compose"]:
        return (
            Danger(0.6, "medium", "deletes containers with their data")
            if "down" in words and call.flags() & {"v", "volumes"}
            else None
        )
    if (
        words[1:2] == ["prune"]
        and (call.flags() & {"a", "all", "volumes", "f", "force"})
        and words[0] in ("system", "volume")
    ):
        return Danger(0.65, "medium", "deletes containers, images or data that others may need")
    if words[:1] == ["run"] or words[:1] == ["create"]:
        if re.search(
            r"(?:^|\s)(?:-v|--volume)[ =]/:|source=/,|/var/run/docker\.sock|--pid[= ]host", said
        ):
            return Danger(0.85, "high", "gives a container the whole machine")
        if "--privileged" in call.args:
            return Danger(0.65, "medium", "gives a container the rights of the machine")
    if words[:1] in (["rm"], ["rmi"]) and re.search(r"\$\(|`", said):
        return Danger(0.6, "medium", "deletes every container or image")
    return (
        Danger(0.6, "medium", "deletes data of containers")
        if words[:2] == ["volume", "rm"]
        else None
    )


def _database(call: Call) -> Danger | None:
    if call.name in ("dropdb", "dropuser"):
        return Danger(0.9, "critical", "deletes a database")
    if call.name == "redis-cli" and {"flushall", "flushdb", "shutdown"} & {
        word.lower() for word in call.args
    }:
        return Danger(0.9, "critical", "empties a database")
    if call.name in ("mongo", "mongosh") and re.search(
        r"dropDatabase|\.drop\(|deleteMany\(\s*\{\s*\}|remove\(\s*\{\s*\}", " ".join(call.args)
    ):
        return Danger(0.9, "critical", "empties a database")
    texts = [target for sign, target in call.command.redirects if sign.startswith("<<")]
    source = call.command.source
    if source is not None and source.words[:1] in (["echo"], ["printf"]):
        texts += source.words[1:]
    for text in [*call.args, *texts]:
        text = text.partition("=")[2] if text.startswith("--") else text
        if " " in text and sql.is_sql(text):
            for score, severity, said, _, _ in sql.dangers(text):
                return Danger(score, severity, f"runs SQL: {said}")
    return None


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


RULES = {
    "git": _git, "kubectl": _kubectl, "oc": _kubectl, "k": _kubectl, "gh": _github, "glab": _github,
    **dict.fromkeys(("terraform", "tofu", "terragrunt", "pulumi", "cdk", "cdktf", "serverless", "sls", "sam", "ansible"), _infrastructure),
    **dict.fromkeys(("aws", "gcloud", "az", "gsutil", "doctl", "heroku", "flyctl", "fly", "mc", "s3cmd", "rclone", "vercel", "railway", "linode-cli", "oci", "ibmcloud", "vault"), _cloud),
    "helm": lambda call: Danger(0.7, "high", "takes down what runs in a cluster") if call.args[:1] and call.args[0] in ("uninstall", "delete") else None,
    **dict.fromkeys(("docker", "podman", "docker-compose", "nerdctl"), _containers),
    **dict.fromkeys(("psql", "mysql", "mariadb", "sqlite3", "sqlcmd", "cockroach", "clickhouse-client", "duckdb", "dropdb", "dropuser", "redis-cli", "mongo", "mongosh", "bq", "snowsql", "cqlsh"), _database),
    **dict.fromkeys(("npm", "yarn", "pnpm", "pip", "pip3", "uv", "pipx", "gem"), _packages),
    **dict.fromkeys(("twine", "cargo", "poetry", "flit", "hatch"), _published),
}  # fmt: skip
