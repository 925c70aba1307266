"""Files that people leak: each kind with secrets made for the occasion."""

import base64
import random
import string
from collections.abc import Callable
from dataclasses import dataclass

ALNUM = string.ascii_letters + string.digits
WORDS = [
    "river",
    "stone",
    "falcon",
    "maple",
    "summer",
    "copper",
    "velvet",
    "harbor",
    "tiger",
    "winter",
]


@dataclass(frozen=True, slots=True)
class Leak:
    """`secrets`: what must be found in `text`."""

    name: str
    text: str
    secrets: tuple[str, ...]


def leaks(seed: int) -> list[Leak]:
    return [_made(name, make, random.Random(f"{seed} {name}")) for name, make in KINDS.items()]


def _made(name: str, make: "Make", rng: random.Random) -> Leak:
    text, *secrets = make(Values(rng))
    return Leak(name, text, tuple(secrets))


class Values:
    """Random values as people and services make them."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def chars(self, size: int, of: str = ALNUM) -> str:
        return "".join(self._rng.choices(of, k=size))

    def hex(self, size: int) -> str:
        return self.chars(size, "0123456789abcdef")

    def b64(self, size: int) -> str:
        return base64.b64encode(self._rng.randbytes(size)).decode()

    def password(self) -> str:
        """A word with digits, leet and signs, or letters drawn at random."""
        word = self._rng.choice(WORDS)
        return self._rng.choice(
            [
                f"{word.title()}{self._rng.randint(10, 9999)}!",
                f"{word}{self._rng.randint(1, 99)}#{self._rng.choice(WORDS)}",
                word.replace("e", "3").replace("o", "0").replace("i", "1") + self.chars(3) + "$7",
                self.chars(12) + "4x",
                self.chars(4, ALNUM) + "-" + self.chars(4) + "-9" + self.chars(3),
            ]
        )

    def pem(self, kind: str) -> str:
        lines = "\n".join(self.b64(48) for _ in range(8))
        return f"-----BEGIN {kind}-----\n{lines}\n{self.b64(11)}\n-----END {kind}-----"


type Make = Callable[[Values], tuple[str, ...]]


def _env(v: Values) -> tuple[str, ...]:
    password, key, secret = v.password(), v.chars(32), v.chars(40, ALNUM + "/+")
    text = (
        f"APP_ENV=production\nDB_HOST=10.0.3.4\nDB_PASSWORD={password}\nAPI_KEY={key}\n"
        f"AWS_SECRET_ACCESS_KEY={secret}\nDEBUG=false\n"
    )
    return text, password, key, secret


def _netrc(v: Values) -> tuple[str, ...]:
    password = v.password()
    return f"machine ftp.acme.test\n  login deploy\n  password {password}\n", password


def _pgpass(v: Values) -> tuple[str, ...]:
    password = v.password().replace(":", "")
    return f"db.acme.test:5432:orders:svc_orders:{password}\n", password


def _npmrc(v: Values) -> tuple[str, ...]:
    token = v.hex(8) + "-" + v.hex(4) + "-4" + v.hex(3) + "-a" + v.hex(3) + "-" + v.hex(12)
    return f"registry=https://npm.acme.test/\n//npm.acme.test/:_authToken={token}\n", token


def _docker_config(v: Values) -> tuple[str, ...]:
    login = base64.b64encode(f"deploy:{v.password()}".encode()).decode()
    return f'{{"auths": {{"https://registry.acme.test/v1/": {{"auth": "{login}"}}}}}}', login


def _s3cfg(v: Values) -> tuple[str, ...]:
    key, secret = (
        "AKIA" + v.chars(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
        v.chars(40, ALNUM + "/+"),
    )
    return f"[default]\naccess_key = {key}\nsecret_key = {secret}\nuse_https = True\n", key, secret


def _aws_credentials(v: Values) -> tuple[str, ...]:
    key, secret = (
        "AKIA" + v.chars(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
        v.chars(40, ALNUM + "/+"),
    )
    return f"[prod]\naws_access_key_id={key}\naws_secret_access_key={secret}\n", key, secret


def _wp_config(v: Values) -> tuple[str, ...]:
    password, salt = v.password(), v.chars(64, ALNUM + "!@#$%^&*()-_ []{}<>~`+=,.;:/?|")
    text = f"<?php\ndefine('DB_PASSWORD', '{password}');\ndefine('AUTH_KEY',         '{salt}');\n"
    return text, password, salt


def _django(v: Values) -> tuple[str, ...]:
    key, password = v.chars(50, ALNUM + "!@#$%^&*-_=+"), v.password()
    text = f"SECRET_KEY = '{key}'\nDATABASES = {{'default': {{'PASSWORD': '{password}'}}}}\n"
    return text, key, password


def _database_yml(v: Values) -> tuple[str, ...]:
    password = v.password()
    return f"production:\n  adapter: mysql2\n  username: app\n  password: {password}\n", password


def _rails_secrets(v: Values) -> tuple[str, ...]:
    key = v.hex(128)
    return f"production:\n  secret_key_base: {key}\n", key


def _ssh_key(v: Values) -> tuple[str, ...]:
    key = v.pem("OPENSSH PRIVATE KEY")
    return key + "\n", key


def _rsa_key(v: Values) -> tuple[str, ...]:
    key = v.pem("RSA PRIVATE KEY").replace(
        "KEY-----\n", f"KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,{v.hex(32)}\n\n", 1
    )
    return key + "\n", key


def _ppk(v: Values) -> tuple[str, ...]:
    lines = "\n".join(v.b64(48) for _ in range(4))
    text = (
        "PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\nComment: rsa-key-20200101\n"
        f"Public-Lines: 1\n{v.b64(48)}\nPrivate-Lines: 4\n{lines}\nPrivate-MAC: {v.hex(40)}\n"
    )
    return text, lines


def _htpasswd(v: Values) -> tuple[str, ...]:
    digest = f"$apr1${v.chars(8)}${v.chars(22)}"
    return f"admin:{digest}\n", digest


def _shadow(v: Values) -> tuple[str, ...]:
    digest = f"$6${v.chars(8)}${v.chars(86)}"
    return f"daemon:*:17110:0:99999:7:::\nroot:{digest}:17500:0:99999:7:::\n", digest


def _sftp_json(v: Values) -> tuple[str, ...]:
    password = v.password()
    text = f'{{"host": "ftp.acme.test", "username": "web", "password": "{password}", "port": 22}}'
    return text, password


def _filezilla(v: Values) -> tuple[str, ...]:
    password = base64.b64encode(v.password().encode()).decode()
    return f'<Server><User>web</User><Pass encoding="base64">{password}</Pass></Server>', password


def _git_credentials(v: Values) -> tuple[str, ...]:
    password = v.chars(20) + "7"
    return f"https://octo:{password}@git.acme.test\n", password


def _hub(v: Values) -> tuple[str, ...]:
    token = v.hex(40)
    return f"github.com:\n- user: octo\n  oauth_token: {token}\n  protocol: https\n", token


def _kubeconfig(v: Values) -> tuple[str, ...]:
    token = v.chars(40)
    return f"users:\n- name: admin\n  user:\n    token: {token}\n", token


def _k8s_secret(v: Values) -> tuple[str, ...]:
    value = v.b64(15)
    text = f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\ndata:\n  password: {value}\n"
    return text, value


def _tfvars(v: Values) -> tuple[str, ...]:
    password = v.password()
    return f'region = "eu-west-1"\nadmin_password = "{password}"\n', password


def _properties(v: Values) -> tuple[str, ...]:
    password = v.password()
    return f"spring.datasource.username=app\nspring.datasource.password={password}\n", password


def _appsettings(v: Values) -> tuple[str, ...]:
    password = v.password().replace(";", "")
    text = f'{{"ConnectionStrings": {{"Db": "Server=sql;Database=x;User Id=sa;Password={password};"}}}}'
    return text, password


def _jdbc(v: Values) -> tuple[str, ...]:
    password = v.chars(14) + "3"
    return f'url = "mongodb+srv://svc:{password}@cluster0.acme.mongodb.net/app"\n', password


def _firefox(v: Values) -> tuple[str, ...]:
    secret = "MDoEEPgAAAAAAAAAAAAAAAAAAAEwFAYIKoZIhvcNAwcECA" + v.chars(24)
    return (
        f'{{"logins": [{{"hostname": "https://acme.test", "encryptedPassword": "{secret}"}}]}}',
        secret,
    )


def _bash_history(v: Values) -> tuple[str, ...]:
    first, second = v.password().replace("!", "1"), v.password().replace("!", "1")
    return (
        f"cd /srv\nmysql -h db -u root -p{first} orders\ncurl -u admin:{second} https://x.test/\n",
        (first),
        second,
    )


def _bashrc(v: Values) -> tuple[str, ...]:
    token = (
        "xoxb-" + v.chars(12, "0123456789") + "-" + v.chars(12, "0123456789") + "-" + v.chars(24)
    )
    return f"alias ll='ls -l'\nexport SLACK_BOT_TOKEN={token}\n", token


def _jenkins(v: Values) -> tuple[str, ...]:
    password = v.password().replace("<", "")
    return (
        f"<credentials><username>ci</username><password>{password}</password></credentials>",
        password,
    )


def _gcp(v: Values) -> tuple[str, ...]:
    key = v.pem("PRIVATE KEY").replace("\n", "\\n")
    return f'{{"type": "service_account", "private_key": "{key}\\n", "client_id": "1"}}', key


def _azure(v: Values) -> tuple[str, ...]:
    key = v.b64(64)
    return f"DefaultEndpointsProtocol=https;AccountName=acme;AccountKey={key};EndpointSuffix=x", key


def _compose(v: Values) -> tuple[str, ...]:
    password = v.password()
    return f"services:\n  db:\n    environment:\n      - POSTGRES_PASSWORD={password}\n", password


def _sql(v: Values) -> tuple[str, ...]:
    digest = "*" + v.chars(40, "0123456789ABCDEF")
    password = v.password()
    text = (
        f"GRANT USAGE ON *.* TO 'app'@'%' IDENTIFIED BY PASSWORD '{digest}';\n"
        f"CREATE USER 'ro'@'%' IDENTIFIED BY '{password}';\n"
    )
    return text, digest, password


def _ansible(v: Values) -> tuple[str, ...]:
    password = v.password()
    return f'all:\n  vars:\n    ansible_become_pass: "{password}"\n', password


def _node(v: Values) -> tuple[str, ...]:
    secret = v.chars(28)
    return f"app.use(session({{ secret: '{secret}', resave: false }}));\n", secret


def _php(v: Values) -> tuple[str, ...]:
    password = v.password()
    return f"<?php\n$db_user = 'web';\n$db_pass = '{password}';\n", password


def _irc(v: Values) -> tuple[str, ...]:
    password = v.password()
    return f'servers = ( {{ address = "irc.acme.test"; password = "{password}"; }} );\n', password


def _esmtp(v: Values) -> tuple[str, ...]:
    password = v.password()
    return f'hostname = smtp.acme.test:587\nusername = "bob"\npassword = "{password}"\n', password


def _webhook(v: Values) -> tuple[str, ...]:
    path = f"T{v.chars(8).upper()}/B{v.chars(8).upper()}/{v.chars(24)}"
    url = "hooks.slack.com/services/" + path
    return f"notify: https://{url}\n", url


def _header(v: Values) -> tuple[str, ...]:
    token = v.chars(44)
    return f'curl -H "Authorization: Bearer {token}" https://api.acme.test/v1\n', token


def _chat(v: Values) -> tuple[str, ...]:
    password = v.password()
    return f"Hi, the staging password is {password} and please keep it to yourself.", password


KINDS: dict[str, Make] = {
    name.removeprefix("_"): make
    for name, make in list(globals().items())
    if name.startswith("_") and callable(make) and name not in ("_made",)
    and not name.startswith("__")
}  # fmt: skip
