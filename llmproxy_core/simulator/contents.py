"""What fills the slots of prompts: sentences of a small grammar, names, numbers, code."""

import random
from collections.abc import Callable


def _words(text: str) -> list[str]:
    return text.replace("\n", " ").split()


NOUNS = _words("""
    account address apron bag battery bell belt bench bill blanket board bolt book bottle box brake
    bridge brush bucket button cable camera card cart case chain chair charger clerk clock coat code
    coffee collar colour corner counter courier cover crate cup curtain customer delivery deposit
    desk display door drawer driver engine envelope fan fee field filter floor folder frame garage
    gate glass glove glue grinder guest handle hinge hook hose invoice jacket jar kettle keyboard key
    label lamp lens letter lid light lock machine manager manual market mirror month motor mug nail
    needle neighbour notebook offer office oven package page paint panel parcel part password pedal
    phone photo picture pillow pipe plan plate plug pocket pump receipt refund repair ribbon road
    roof room rope rug saddle sample screen screw seat sensor shelf shop shutter sign sleeve socket
    spoon spring stain stamp station strap supplier switch table tap teacher tent ticket tile timer
    torch towel trailer tray truck tyre umbrella valve van vase voucher wall warehouse week wheel
    window wire workshop zip
""")
ADJECTIVES = _words("""
    blue broken careful cheap clean cold damp dark dirty dry dusty early empty faulty first flat
    foreign free fresh full green grey heavy honest hot huge late left light local long loose loud
    missing narrow new noisy old open orange other painted pale plain polite poor quiet rare red
    rough round rusty second sharp short silent slow small smooth soft solid square steel strange
    strong thick thin third tiny tired torn used warm wet white wide wooden wrong yellow young
""")
VERBS = _words("""
    arrived asked bent blocked broke brought burned called carried changed checked cleaned closed
    copied counted covered cracked dropped failed fell filled fitted fixed forgot found froze heard
    held hid kept leaked left lifted locked lost marked melted mended missed moved named needed
    noticed opened ordered packed paid passed pressed pulled pushed reached refused rented replaced
    returned rolled rubbed sank sent sewed shook showed shrank sold sorted split squeaked stopped
    swelled switched told took touched turned twisted used waited warmed washed watched weighed wiped
""")
PREPOSITIONS = _words(
    "about above across after against along around at before behind below beside "
    "between by despite during except for from in inside like near of off on over "
    "past since through towards under until up with without"
)
JOINTS = _words("and but so because while although when where unless whereas yet or before after")
NAMES = _words(
    "Anna Ben Chiara Dmitri Elif Farid Grace Hana Ivan Julia Karim Lena Mateo Nora Omar "
    "Petra Quentin Rosa Samir Tomas Ulla Viktor Wanda Xenia Yusuf Zoe"
)
SURNAMES = _words(
    "Moreau Okafor Russo Volkov Demir Haddad Lim Sato Petrov Nowak Aziz Vogel Silva "
    "Berg Said Keller Dubois Ferrari Jansen Novak Costa Lund Papp Quinn Weber Zhang"
)
PLACES = _words(
    "Lyon Gdansk Bergen Porto Graz Leeds Turin Malmo Izmir Ghent Cork Split Basel Tartu "
    "Bilbao Kiel Nantes Oulu Patras Riga Siena Tampere Utrecht Varna Wels Zadar"
)
DRUGS = _words(
    "ibuprofen paracetamol loratadine omeprazole amoxicillin cetirizine metformin "
    "bisoprolol ramipril diclofenac aspirin pantoprazole sertraline codeine naproxen"
)
FUNCTIONS = _words(
    "total parse split merge load render trim count find order score fetch join pack"
)
FIELDS = _words("name date amount city state email owner kind size colour weight price street bank")


class Contents:
    """Draws them; the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311  nothing is protected by it

    def filled(self, template: str) -> str:
        """The template with a content in each `{slot}`."""
        pieces = template.split("{")
        out = [pieces[0]]
        for piece in pieces[1:]:
            slot, _, rest = piece.partition("}")
            out += [SLOTS[slot](self), rest]
        return "".join(out)

    def one(self, words: list[str]) -> str:
        return self.dice.choice(words)


def sentence(c: Contents) -> str:
    """Of one clause to three; hardly any run of three words comes again."""
    clauses = [clause(c)]
    for _ in range(c.dice.choice((0, 0, 1, 1, 2))):
        clauses.append(f"{c.one(JOINTS)} {clause(c)}")
    told = " ".join(clauses)
    return f"{told[0].upper()}{told[1:]}."


def clause(c: Contents) -> str:
    said = [thing(c) if c.dice.random() < 0.7 else person(c), c.one(VERBS)]
    if c.dice.random() < 0.5:
        said.append(thing(c))
    for _ in range(c.dice.choice((0, 1, 1, 2))):
        told = c.one(PLACES) if c.dice.random() < 0.2 else thing(c)
        said.append(f"{c.one(PREPOSITIONS)} {told}")
    if c.dice.random() < 0.2:
        said.insert(0, c.one(["today", "once", "later", "then", "again", "yesterday", "perhaps"]))
    return " ".join(said)


def thing(c: Contents) -> str:
    which = c.one(["the", "a", "my", "this", "every", "no", "some", "our", "one", "that"])
    kind = f"{c.one(ADJECTIVES)} " if c.dice.random() < 0.6 else ""
    number = f"{c.dice.randint(2, 900)} " if c.dice.random() < 0.1 else ""
    return f"{number or which + ' '}{kind}{c.one(NOUNS)}"


def item(c: Contents) -> str:
    return f"{c.one(ADJECTIVES)} {c.one(NOUNS)}"


def person(c: Contents) -> str:
    return f"{c.one(NAMES)} {c.one(SURNAMES)}"


def text(c: Contents) -> str:
    return " ".join(sentence(c) for _ in range(c.dice.randint(2, 6)))


def dialogue(c: Contents) -> str:
    one, two = person(c), person(c)
    turns = range(c.dice.randint(3, 7))
    return "\n".join(f"{(one, two)[turn % 2]}: {sentence(c)}" for turn in turns)


def code(c: Contents) -> str:
    rows, name = c.one(NOUNS), c.one(FUNCTIONS)
    lines = [f"def {name}_{c.one(NOUNS)}({rows}, {c.one(NOUNS)}={c.dice.randint(2, 99)}):"]
    for _ in range(c.dice.randint(1, 5)):
        lines.append(f"    {c.one(FIELDS)} = {c.one(FUNCTIONS)}({rows}, {c.dice.randint(1, 9)})")
    ends = [
        f"return {c.one(FUNCTIONS)}({rows}.{c.one(FIELDS)})",
        f"return [{c.one(FIELDS)}.{c.one(NOUNS)} for {c.one(FIELDS)} in {rows}]",
        f"yield {c.one(FIELDS)}, {c.one(NOUNS)}",
        f"raise ValueError({c.one(FIELDS)})",
        f"{c.one(NOUNS)}.{c.one(FUNCTIONS)}({c.one(FIELDS)})",
    ]
    return "\n".join([*lines, f"    {c.one(ends)}"])


def listed(c: Contents) -> str:
    return ", ".join(item(c) for _ in range(c.dice.randint(3, 5)))


def _of(words: list[str]) -> Callable[[Contents], str]:
    return lambda c: c.one(words)


SLOTS: dict[str, Callable[[Contents], str]] = {
    "sentence": sentence,
    "text": text,
    "dialogue": dialogue,
    "code": code,
    "listed": listed,
    "person": person,
    "thing": item,
    "place": _of(PLACES),
    "drug": _of(DRUGS),
    "field": _of(FIELDS),
    "function": _of(FUNCTIONS),
    "language": _of(["German", "French", "Polish", "Turkish", "Dutch", "Portuguese"]),
    "number": lambda c: str(c.dice.randint(2, 9000)),
    "order": lambda c: f"{c.one(list('ABCDEF'))}-{c.dice.randint(1000, 99999)}",
    "complaint": lambda c: f"{sentence(c)} It is order {SLOTS['order'](c)}.",
}
