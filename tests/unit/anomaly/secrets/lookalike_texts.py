"""Texts that look as if they had secrets in them, and have none."""

import base64
import random
import uuid

from tests.unit.anomaly.secrets.leaky_files import Values


def lookalikes(seed: int) -> list[str]:
    """One text of each kind."""
    rng = random.Random(seed)
    v = Values(rng)
    return [
        *_hashes(v, rng),
        *_placeholders(v),
        *_code(v, rng),
        *_blobs(v, rng),
    ]


def _hashes(v: Values, rng: random.Random) -> list[str]:
    some_uuid = str(uuid.UUID(bytes=rng.randbytes(16)))
    return [
        f"commit {v.hex(40)}\nAuthor: Jo Doe <jo@acme.test>\n",
        f"index {v.hex(7)}..{v.hex(7)} 100644",
        f"sha256:{v.hex(64)}",
        f"FROM python@sha256:{v.hex(64)}",
        f'"integrity": "sha512-{v.b64(64)}"',
        f'ETag: W/"{v.hex(32)}"',
        f"traceparent: 00-{v.hex(32)}-{v.hex(16)}-01",
        f"trace_id={v.hex(32)} span_id={v.hex(16)}",
        f"id: {some_uuid}",
        f"request_id={some_uuid} took 12 ms",
        f'{{"session_id": "{some_uuid}", "user": "jo"}}',
        f'{{"id": "msg_01{v.chars(22)}", "type": "message"}}',
        f'{{"id": "chatcmpl-{v.chars(29)}", "object": "chat.completion"}}',
        f'{{"tool_use_id": "toolu_01{v.chars(22)}"}}',
        f"call_{v.chars(24)}",
        f'"credentialsId": "{some_uuid}"',
        f"  checksum: {v.hex(128)}",
        f'resolved "https://registry.acme.test/x/-/x-1.2.3.tgz#{v.hex(40)}"',
        f"MD5 ({v.chars(6)}.iso) = {v.hex(32)}",
        f"key fingerprint is SHA256:{v.b64(32).rstrip('=')} jo@host",
        f'cache_key = "{v.hex(32)}"',
        f"primary_key: {rng.randint(10**9, 10**10)}",
        f"build 20260101-{v.hex(12)} deployed",
        f"order no. {rng.randint(100000, 999999)}-{rng.randint(1000, 9999)}, phone ext 12",
    ]


def _placeholders(v: Values) -> list[str]:
    return [
        "API_KEY=your_api_key_here",
        "OPENAI_API_KEY=sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "ANTHROPIC_API_KEY=sk-ant-...",
        "export GITHUB_TOKEN=<your token>",
        'api_key="YOUR_API_KEY"',
        "password: changeme",
        "password: ********",
        "DB_PASSWORD=${DB_PASSWORD}",
        "token: ${{ secrets.GITHUB_TOKEN }}",
        "password: {{ vault_password }}",
        "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE",
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "postgres://user:password@localhost:5432/db",
        "postgresql://${USER}:${PASS}@db/app",
        "redis://:[password]@cache:6379/0",
        "Authorization: Bearer <YOUR_TOKEN>",
        "Authorization: Bearer $TOKEN",
        "curl -u user:pass https://api.acme.test",
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "sk_test_your_key_here_0000000000",
        "token = 'abcdefghijklmnopqrstuvwxyz123456'",
        "SECRET_KEY = 'django-insecure-change-me-please'",
        "https://example.com/?api_key=YOUR-KEY-GOES-HERE",
        f"[secret:aws-access-token:fp_{v.hex(12)}]",
        f'"password": "[secret:password:fp_{v.hex(12)}]"',
    ]


def _code(v: Values, rng: random.Random) -> list[str]:
    number = rng.randint(2, 9)
    return [
        'token = os.environ["GITHUB_TOKEN"]',
        "const apiKey = process.env.OPENAI_API_KEY;",
        "api_key = config.get('api_key', default=None)",
        "password = getpass.getpass('Password: ')",
        "def login(username: str, password: str) -> Token:",
        "    password = models.CharField(max_length=128)",
        "if (password.length < 8) { throw new Error('password too short'); }",
        f"token_count = count_tokens(text{number})",
        "max_tokens=4096, stop_tokens=['<|endoftext|>']",
        "key = lambda row: row['created_at_2']",
        f"this.keyboard{number}.onKeyPress = handleKeyPress{number};",
        '<input type="password" name="password2" id="id_password2" />',
        "passwordHash = await bcrypt.hash(password, saltRounds10)",
        "author = 'james.fake@ymail.com'",
        f"'@keyframes slide-in-{number}': {{ from: 0 }}",
        "import { apiKeyAuth2 } from './middleware/apiKeyAuth2';",
        'public static final String TOKEN_URL = "https://auth.acme.test/oauth2/token";',
        "ssh-keygen -t ed25519 -f ~/.ssh/id_ed25519",
        "private_key_path = /etc/ssl/private/server1.key",
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db-credentials",
        "access_key_rotation_days = 90",
        "The password must be at least 12 characters long and contain a digit.",
        "What is the secret: practice, practice, practice.",
        "See the key: bold = required, italics = optional",
        "passenger_count: 1234567, compass: north-west-12",
        f"git clone git@github.com:acme/api-key-rotation-{number}.git",
        f"model = claude-opus-4-{number}, api_version = 2023-06-01",
        "nextPageToken: CAUQAA",
        "csrf_token = {% csrf_token %}",
        '"password": {"type": "string", "format": "password"}',
        '"password": "string"',
        '"password": "Enter your password"',
        '"password": "Passwort", "forgotPassword": "Passwort vergessen?"',
        '<label for="password">Password</label>',
        "password=password, user=user",
        'parser.add_argument("--password", help="Password")',
        "password: z.string().min(8)",
        "tokenizer = AutoTokenizer.from_pretrained('bert-base-uncased')",
        f"feature_key: enable_new_checkout_v{number}",
    ]


def _blobs(v: Values, rng: random.Random) -> list[str]:
    key = "AKIA" + v.chars(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    blob = base64.b64encode(rng.randbytes(600)).decode()
    planted = f"{blob[:300]}/{key}+{blob[300:]}"
    return [
        f"data:image/png;base64,{blob}",
        f'{{"type": "thinking", "signature": "{blob}"}}',
        f'{{"type": "reasoning", "encrypted_content": "gAAAAAB{blob}"}}',
        f'{{"embedding": "{planted}"}}',
        f"data:font/woff2;base64,{planted}",
        "-----BEGIN CERTIFICATE-----\n"
        + "\n".join(v.b64(48) for _ in range(9))
        + "\n-----END CERTIFICATE-----",
        f"ssh-rsa AAAAB3NzaC1yc2E{v.b64(256)} jo@laptop",
        " ".join(f"{rng.random():.7f}" for _ in range(60)),
    ]
