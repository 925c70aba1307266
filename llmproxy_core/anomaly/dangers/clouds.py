"""Commands that change clusters, clouds, containers and databases."""

import re

from llmproxy_core.anomaly.dangers.calls import Call, Rules
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
    if call.name == "bq" and call.args[:1] == ["rm"]:
        return Danger(0.85, "critical", "deletes data in a warehouse")
    if call.name in ("dropdb", "dropuser") or (call.name == "mysqladmin" and "drop" in call.args):
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
    for source in (call.command.source, *call.command.inner):
        if source is not None and source.words[:1] in (["echo"], ["printf"]):
            texts += source.words[1:]
    for text in [*call.args, *texts]:
        text = text.partition("=")[2] if text.startswith("--") else text
        if " " in text and sql.is_sql(text):
            for score, severity, said, _, _ in sql.dangers(text):
                return Danger(score, severity, f"runs SQL: {said}")
    return None


def _helm(call: Call) -> Danger | None:
    if call.args[:1] in (["uninstall"], ["delete"]):
        return Danger(0.7, "high", "takes down what runs in a cluster")
    return None


RULES: Rules = {
    **dict.fromkeys(names("kubectl oc k"), _kubectl),
    **dict.fromkeys(
        names("terraform tofu terragrunt pulumi cdk cdktf serverless sls sam ansible"),
        _infrastructure,
    ),
    **dict.fromkeys(
        names(
            "aws gcloud az gsutil doctl heroku flyctl fly mc s3cmd rclone vercel railway"
            " linode-cli oci "
            "ibmcloud vault"
        ),
        _cloud,
    ),
    "helm": _helm,
    **dict.fromkeys(names("docker podman docker-compose nerdctl"), _containers),
    **dict.fromkeys(
        names(
            "psql mysql mariadb sqlite3 sqlcmd cockroach clickhouse-client duckdb dropdb dropuser mysqladmin "
            "redis-cli mongo mongosh bq snowsql cqlsh"
        ),
        _database,
    ),
}
