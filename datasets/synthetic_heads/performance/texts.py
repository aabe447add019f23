"""Sentences of chance in several languages, made from words of our own.

Ours: the paper uses recordings. Sense is not needed, sounds are: each language has
all its lips-closing, lip-teeth and rounded sounds in these words.
"""

import numpy as np

_GRAMMARS = {
    "en": {
        "patterns": (
            "{who} {does} {what} {when}.",
            "{when}, {who} {does} {what}.",
            "{opener}, {who} {does} {what}!",
            "Do you think {who} {does} {what} {when}?",
            "{what} and {what}, that is all we have.",
            "{opener}, how wonderful it would be if {who} {does} {what}!",
            "Maybe {who} {does} {what}, but {who} {does} {what}.",
        ),
        "who": (
            *("my brother", "the old farmer", "our new neighbour", "a young pilot"),
            *("the woman from the bakery", "Peter", "Fiona", "everybody here"),
            *("the whole family", "your best friend", "a voice from above"),
            *("the boy with the blue hat", "Mister Webb", "she who waits outside"),
        ),
        "does": (
            *("often brings", "never forgot", "wants to sell", "is looking for"),
            *("paints", "moved", "would love to buy", "could hardly believe in"),
            *("threw away", "found", "keeps thinking about", "measures", "showed us"),
            *("will probably choose", "gave me", "should fix"),
        ),
        "what": (
            *("five purple plums", "the broken umbrella", "a very small boat"),
            *("warm bread and butter", "those shiny shoes", "a map of the moon"),
            *("the first flowers of May", "some fresh fish", "a huge yellow bus"),
            *("the village church", "a jar of honey", "three white mice"),
            *("the noise of the waves", "an awful joke", "a box of matches"),
            *("the measure of all things", "two or three good reasons"),
        ),
        "when": (
            *("before breakfast", "every other week", "when the wind blows"),
            *("on Thursday morning", "in the middle of the night", "far too early"),
            *("as soon as possible", "without a word", "after the show", "once more"),
            *("during the summer", "with both hands"),
        ),
        "opener": (
            *("oh my", "well", "believe me", "listen", "honestly", "wow", "no way"),
            *("of course", "you know", "hmm", "please", "good morning"),
        ),
    },
    "de": {
        "patterns": (
            "{who} {does} {what} {when}.",
            "{opener}, {who} {does} {what}!",
            "{who} {does} {what}, aber {who} {does} {what}.",
            "{opener}, {who} {does} {what} {when}?",
        ),
        "who": (
            *("mein Bruder", "die Bäckerin", "der alte Fischer", "unsere Tante"),
            *("Philipp", "das Mädchen mit dem Fahrrad", "jeder von uns", "Frau Moser"),
        ),
        "does": (
            *("sucht", "findet", "malt", "verkauft", "bringt", "wünscht sich"),
            *("vergisst", "öffnet", "beschreibt", "bewundert", "prüft"),
        ),
        "what": (
            *("fünf grüne Äpfel", "ein Boot aus Papier", "den weißen Schirm"),
            *("die warme Suppe", "das schöne Fenster", "viele bunte Vögel"),
            *("einen Becher Pflaumenmus", "zwei Pfund Mehl", "die Möbel im Flur"),
        ),
        "when": (
            *("am frühen Morgen", "ohne ein Wort", "jeden zweiten Mittwoch"),
            *("vor dem Abendbrot", "über Nacht", "mit beiden Händen", "im Juli"),
        ),
        "opener": ("ach", "natürlich", "hör mal", "ehrlich gesagt", "wunderbar", "oje"),
    },
    "fr": {
        "patterns": (
            "{who} {does} {what} {when}.",
            "{opener}, {who} {does} {what} !",
            "{who} {does} {what}, mais {who} {does} {what}.",
            "Est-ce que {who} {does} {what} {when} ?",
        ),
        "who": (
            *("mon frère", "la boulangère", "le vieux pêcheur", "notre voisine"),
            *("Philippe", "tout le monde", "la petite fille", "un ami de Paris"),
        ),
        "does": (
            *("cherche", "trouve", "peint", "apporte", "veut acheter", "oublie"),
            *("prépare", "regarde", "vend", "jette", "mesure"),
        ),
        "what": (
            *("cinq pommes vertes", "un petit bateau", "le parapluie bleu"),
            *("la soupe chaude", "une jolie fenêtre", "beaucoup de fleurs"),
            *("du pain et du beurre", "un gros chou", "le chemin du village"),
        ),
        "when": (
            *("de bonne heure", "sans un mot", "chaque jeudi", "avant midi"),
            *("pendant la nuit", "au mois de juin", "encore une fois"),
        ),
        "opener": ("oh là là", "bien sûr", "écoute", "mon Dieu", "voilà", "bonjour"),
    },
    "es": {
        "patterns": (
            "{who} {does} {what} {when}.",
            "¡{opener}, {who} {does} {what}!",
            "{who} {does} {what}, pero {who} {does} {what}.",
            "¿Crees que {who} {does} {what} {when}?",
        ),
        "who": (
            *("mi hermano", "la panadera", "el viejo pescador", "nuestra vecina"),
            *("Pablo", "toda la familia", "una amiga de Bilbao", "el chico nuevo"),
        ),
        "does": (
            *("busca", "encuentra", "pinta", "trae", "quiere comprar", "olvida"),
            *("prepara", "vende", "mueve", "prefiere", "mide"),
        ),
        "what": (
            *("cinco manzanas verdes", "un barco pequeño", "el paraguas azul"),
            *("la sopa caliente", "muchas flores", "pan con mantequilla"),
            *("una bomba de agua", "los zapatos viejos", "el mapa del pueblo"),
        ),
        "when": (
            *("por la mañana", "sin decir nada", "cada jueves", "antes de comer"),
            *("en pleno verano", "otra vez", "durante la noche"),
        ),
        "opener": ("claro", "por favor", "mira", "hombre", "bueno", "qué bien"),
    },
    "it": {
        "patterns": (
            "{who} {does} {what} {when}.",
            "{opener}, {who} {does} {what}!",
            "{who} {does} {what}, ma {who} {does} {what}.",
            "Forse {who} {does} {what} {when}?",
        ),
        "who": (
            *("mio fratello", "la fornaia", "il vecchio pescatore", "la nostra vicina"),
            *("Beppe", "tutta la famiglia", "un amico di Bologna", "la bambina"),
        ),
        "does": (
            *("cerca", "trova", "dipinge", "porta", "vuole comprare", "dimentica"),
            *("prepara", "vende", "muove", "preferisce", "butta via"),
        ),
        "what": (
            *("cinque mele verdi", "una piccola barca", "l'ombrello blu"),
            *("la zuppa calda", "molti fiori", "pane e burro", "una pompa d'acqua"),
            *("le scarpe vecchie", "gli gnocchi della nonna", "la mappa del paese"),
        ),
        "when": (
            *("di buon mattino", "senza una parola", "ogni giovedì", "prima di cena"),
            *("in piena estate", "ancora una volta", "durante la notte"),
        ),
        "opener": ("certo", "per favore", "guarda", "mamma mia", "beh", "che bello"),
    },
    "pt": {
        "patterns": (
            "{who} {does} {what} {when}.",
            "{opener}, {who} {does} {what}!",
            "{who} {does} {what}, mas {who} {does} {what}.",
            "Será que {who} {does} {what} {when}?",
        ),
        "who": (
            *("meu irmão", "a padeira", "o velho pescador", "nossa vizinha"),
            *("Paulo", "toda a família", "uma amiga do Porto", "o menino novo"),
        ),
        "does": (
            *("procura", "encontra", "pinta", "traz", "quer comprar", "esquece"),
            *("prepara", "vende", "move", "prefere", "mede"),
        ),
        "what": (
            *("cinco maçãs verdes", "um barco pequeno", "o guarda-chuva azul"),
            *("a sopa quente", "muitas flores", "pão com manteiga"),
            *("uma bomba de água", "os sapatos velhos", "o mapa da aldeia"),
        ),
        "when": (
            *("de manhã cedo", "sem dizer nada", "toda quinta-feira", "outra vez"),
            *("antes do jantar", "em pleno verão", "durante a noite"),
        ),
        "opener": ("claro", "por favor", "olha", "meu Deus", "pois bem", "bom dia"),
    },
    "nl": {
        "patterns": (
            "{who} {does} {what} {when}.",
            "{opener}, {who} {does} {what}!",
            "{who} {does} {what}, maar {who} {does} {what}.",
        ),
        "who": (
            *("mijn broer", "de bakker", "de oude visser", "onze buurvrouw"),
            *("Pieter", "iedereen hier", "een vriend uit Breda", "het meisje"),
        ),
        "does": (
            *("zoekt", "vindt", "schildert", "brengt", "verkoopt", "vergeet"),
            *("bewaart", "bekijkt", "koopt", "meet"),
        ),
        "what": (
            *("vijf groene appels", "een klein bootje", "de blauwe paraplu"),
            *("de warme soep", "veel mooie bloemen", "brood met boter"),
            *("een pomp vol water", "de oude schoenen", "drie witte muizen"),
        ),
        "when": (
            *("vroeg in de ochtend", "zonder een woord", "elke donderdag"),
            *("voor het eten", "midden in de zomer", "nog een keer"),
        ),
        "opener": ("nou", "natuurlijk", "luister", "eerlijk gezegd", "goedemorgen"),
    },
}

LANGUAGES = tuple(_GRAMMARS)

_LEAST_LETTERS = 4


def sentence(language: str, generator: np.random.Generator) -> str:
    """Make a sentence.

    Ours: a pattern whose gaps are filled by chance.

    Args:
        language: one of `LANGUAGES`.
        generator: source of chance.

    Returns:
        A sentence that begins with a capital letter and ends with a mark.
    """
    grammar = _GRAMMARS[language]
    text = str(generator.choice(grammar["patterns"]))
    for slot in ("who", "does", "what", "when", "opener"):
        while "{" + slot + "}" in text:
            filler = str(generator.choice(grammar[slot]))
            text = text.replace("{" + slot + "}", filler, 1)
    first = next(index for index, letter in enumerate(text) if letter.isalpha())
    return text[:first] + text[first].upper() + text[first + 1 :]


def emphasize(text: str, generator: np.random.Generator, but: str = "") -> str:
    """Put one word of a sentence between asterisks, which emphasise it.

    Ours: words of four letters or more, since short ones seldom matter.

    Args:
        text: a sentence.
        generator: source of chance.
        but: a sentence of the same words, whose emphasis is not wanted again.

    Returns:
        The sentence with another of its words emphasised than in `but`, or as it was if
        there is none.
    """
    words = text.split()
    indices = [
        index
        for index, word in enumerate(words)
        if sum(map(str.isalpha, word)) >= _LEAST_LETTERS and f"*{word}*" not in but
    ]
    if indices:
        index = indices[generator.integers(len(indices))]
        words[index] = f"*{words[index]}*"
    return " ".join(words)
