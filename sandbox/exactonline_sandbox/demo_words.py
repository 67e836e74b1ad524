"""The words of which the demo world's names and addresses are made, per region.

Invented companies in real towns: postcodes and dialling codes are those of the town.
"""

from typing import Literal, NamedTuple

LegalKind = Literal["company", "sole trader", "HRB", "HRA"]
"""What decides the numbers of a party: Dutch and Belgian companies and people, German registers."""


class Town(NamedTuple):
    """A town with its dialling code (without the 0), some of its postcodes, and where it lies."""

    name: str
    dialling_code: str
    postcodes: tuple[str, ...]
    latitude: float
    longitude: float


class Region(NamedTuple):
    """Where people share a language and a way of naming firms and streets."""

    country: str
    language: str
    calling_code: str
    towns: tuple[Town, ...]
    streets: tuple[str, ...]
    house_numbers: tuple[str, ...]
    second_lines: tuple[str, ...]
    mailboxes: tuple[str, ...]
    families: tuple[str, ...]
    trades: tuple[str, ...]
    names: tuple[tuple[str, LegalKind], ...]


NETHERLANDS = Region(
    country="NL",
    language="NL",
    calling_code="31",
    towns=(
        Town("Amsterdam", "20", ("1012", "1054", "1098"), 52.37, 4.90),
        Town("Rotterdam", "10", ("3011", "3029", "3072"), 51.92, 4.48),
        Town("'s-Gravenhage", "70", ("2511", "2562", "2595"), 52.08, 4.31),
        Town("Utrecht", "30", ("3511", "3526", "3561"), 52.09, 5.12),
        Town("Eindhoven", "40", ("5611", "5623", "5651"), 51.44, 5.48),
        Town("Groningen", "50", ("9711", "9723", "9743"), 53.22, 6.57),
        Town("'s-Hertogenbosch", "73", ("5211", "5223", "5232"), 51.69, 5.30),
        Town("Leeuwarden", "58", ("8911", "8923", "8938"), 53.20, 5.80),
        Town("Zwolle", "38", ("8011", "8025", "8041"), 52.51, 6.09),
        Town("Maastricht", "43", ("6211", "6221", "6227"), 50.85, 5.69),
        Town("Middelburg", "118", ("4331", "4336"), 51.50, 3.61),
        Town("Bergen op Zoom", "164", ("4611", "4622"), 51.49, 4.29),
        Town("Capelle aan den IJssel", "10", ("2901", "2908"), 51.93, 4.58),
        Town("Wijk bij Duurstede", "343", ("3961",), 51.97, 5.34),
    ),
    streets=(
        "Kerkstraat", "Dorpsstraat", "Stationsweg", "Industrieweg", "Nijverheidsweg", "Burg. van Tuyllstraat",
        "'s-Gravenhaagseweg", "Dr. Schaepmanlaan", "Prins Bernhardkade", "Oude Gracht",
        "Vijfde Binnenvestgracht", "2e Weteringdwarsstraat", "Het Zand", "Laan van Nieuw-Oost-Indië",
        "Café-chantantplein",
    ),
    house_numbers=("{}", "{}", "{}", "{} a", "{}-2", "{} hs"),
    second_lines=("T.a.v. crediteurenadministratie", "Gebouw De Maas, 3e verdieping", "Postbus 1042"),
    mailboxes=("info", "administratie", "facturen", "crediteuren", "inkoop"),
    families=(
        "de Vries", "van der Berg", "Jansen", "Bakker", "van 't Hoff", "Hoekstra", "Dijkstra", "Çelik",
        "El Idrissi", "Groot Wassink", "ter Braak", "Núñez", "van den Heuvel", "IJzerman", "Ruijter",
        "Löwenthal", "Zwart", "Mulder", "Terpstra", "Vermeulen", "Bos", "Koçak", "d'Ancona", "Hendriks",
    ),
    trades=(
        "Bakkerij", "Installatiebedrijf", "Bouwbedrijf", "Transportbedrijf", "Garage", "Schildersbedrijf",
        "Kwekerij", "Drukkerij", "Administratiekantoor", "Groothandel", "Loodgietersbedrijf", "Café",
        "Rederij", "Tuincentrum",
    ),
    names=(
        ("{trade} {family} B.V.", "company"),
        ("{family} & Zn. {trade} B.V.", "company"),
        ("Gebr. {family} {trade}", "company"),
        ("{trade} {family} & {other} VOF", "company"),
        ("{trade} {town} B.V.", "company"),
        ("{family} {town} N.V.", "company"),
        ("Maatschap {family}, {other} & {third}", "company"),
        ("{trade} {family}", "sole trader"),
        ("{trade} 't Hoekje van {family}", "sole trader"),
        ("Stichting Beheer Derdengelden Notariaat {town}", "company"),
    ),
)  # fmt: skip

FLANDERS = Region(
    country="BE",
    language="NL",
    calling_code="32",
    towns=(
        Town("Antwerpen", "3", ("2000", "2018", "2060"), 51.22, 4.40),
        Town("Gent", "9", ("9000",), 51.05, 3.72),
        Town("Brugge", "50", ("8000",), 51.21, 3.22),
        Town("Leuven", "16", ("3000",), 50.88, 4.70),
        Town("Sint-Niklaas", "3", ("9100",), 51.17, 4.14),
        Town("Kortrijk", "56", ("8500",), 50.83, 3.26),
        Town("Hasselt", "11", ("3500",), 50.93, 5.34),
        Town("Knokke-Heist", "50", ("8300", "8301"), 51.34, 3.29),
    ),
    streets=(
        "Grote Markt", "Steenweg op Gent", "Meir", "Sint-Jacobsstraat", "Guldensporenlaan", "Bredabaan",
        "Kapelsesteenweg", "O.L.-Vrouwestraat", "Zuidervest", "Lange Leemstraat",
    ),
    house_numbers=("{}", "{}", "{} bus 3", "{}A", "{} bus 0102"),
    second_lines=("Ter attentie van de boekhouding", "Bedrijvenpark Noord, unit 7"),
    mailboxes=("info", "boekhouding", "facturatie", "verkoop"),
    families=(
        "Peeters", "Janssens", "Van den Broeck", "De Clercq", "D'Hondt", "Vanderstraeten", "Claes",
        "Goossens", "Van Hoorebeke", "De Smedt", "Maertens", "Wouters",
    ),
    trades=(
        "Bouwwerken", "Garage", "Brouwerij", "Drukkerij", "Bakkerij", "Houthandel", "Tuinaanleg", "Transport",
        "Schrijnwerkerij", "Frituur",
    ),
    names=(
        ("{trade} {family} BV", "company"),
        ("{trade} {family} BVBA", "company"),
        ("{family} & {other} NV", "company"),
        ("{trade} {family}-{other} CommV", "company"),
        ("{trade} {town} NV", "company"),
    ),
)  # fmt: skip

WALLONIA = Region(
    country="BE",
    language="FR",
    calling_code="32",
    towns=(
        Town("Liège", "4", ("4000", "4020"), 50.63, 5.57),
        Town("Namur", "81", ("5000",), 50.47, 4.87),
        Town("Charleroi", "71", ("6000",), 50.41, 4.44),
        Town("Bruxelles", "2", ("1000", "1020", "1120"), 50.85, 4.35),
        Town("La Louvière", "64", ("7100",), 50.48, 4.19),
        Town("Louvain-la-Neuve", "10", ("1348",), 50.67, 4.61),
    ),
    streets=(
        "Rue de l'Église", "Boulevard d'Avroy", "Chaussée de Namur", "Place Saint-Lambert",
        "Rue du Pont-d'Île", "Avenue des Acacias", "Quai de la Dérivation", "Rue Léopold",
    ),
    house_numbers=("{}", "{}", "{} boîte 4", "{}/12"),
    second_lines=("À l'attention du service comptabilité", "Zoning industriel, bâtiment C"),
    mailboxes=("info", "comptabilite", "factures", "contact"),
    families=(
        "Dupont", "Lambert", "Lefèvre", "D'Ortho", "Hélène Delvaux", "Noël", "Gérard", "François",
        "Crèvecœur",
    ),
    trades=(
        "Boulangerie", "Garage", "Imprimerie", "Menuiserie", "Brasserie", "Entreprise générale", "Pépinière",
    ),
    names=(
        ("{trade} {family} SRL", "company"),
        ("{trade} {family} SPRL", "company"),
        ("{family} & {other} SA", "company"),
        ("Éts {family} et Fils SRL", "company"),
        ("{trade} de {town} SA", "company"),
    ),
)  # fmt: skip

GERMANY = Region(
    country="DE",
    language="DE",
    calling_code="49",
    towns=(
        Town("Berlin", "30", ("10115", "10243", "13353"), 52.52, 13.40),
        Town("Köln", "221", ("50667", "50823", "51103"), 50.94, 6.96),
        Town("München", "89", ("80331", "80469", "81667"), 48.14, 11.58),
        Town("Hamburg", "40", ("20095", "20457", "22765"), 53.55, 9.99),
        Town("Düsseldorf", "211", ("40210", "40477"), 51.23, 6.78),
        Town("Mönchengladbach", "2161", ("41061", "41236"), 51.19, 6.44),
        Town("Nürnberg", "911", ("90402", "90459"), 49.45, 11.08),
        Town("Münster", "251", ("48143", "48155"), 51.96, 7.63),
        Town("Aachen", "241", ("52062", "52070"), 50.78, 6.08),
        Town("Frankfurt am Main", "69", ("60311", "60486"), 50.11, 8.68),
        Town("Bad Neuenahr-Ahrweiler", "2641", ("53474",), 50.54, 7.12),
    ),
    streets=(
        "Hauptstraße", "Bahnhofstraße", "Königsallee", "Am Güterbahnhof", "Lange Straße", "Schützenweg",
        "Große Gasse", "Straße des 17. Juni", "Von-Müller-Platz", "An der Mühle",
    ),
    house_numbers=("{}", "{}", "{}a", "{}-{next}"),
    second_lines=("z. Hd. Buchhaltung", "Gewerbepark Süd, Halle 4"),
    mailboxes=("info", "buchhaltung", "rechnung", "einkauf"),
    families=(
        "Müller", "Schäfer", "Groß", "Weiß", "Jürgens", "Schröder", "von Bülow", "Köhler", "Öztürk",
        "Lüdenscheidt", "Hoffmann", "Krüger",
    ),
    trades=(
        "Maschinenbau", "Spedition", "Bäckerei", "Getränkehandel", "Präzisionstechnik", "Möbelhaus",
        "Gärtnerei", "Druckerei", "Elektrotechnik",
    ),
    names=(
        ("{family} {trade} GmbH", "HRB"),
        ("{trade} {family} GmbH & Co. KG", "HRA"),
        ("{family} & Söhne OHG", "HRA"),
        ("{trade} {family} e.K.", "HRA"),
        ("{family} + {other} {trade} GmbH", "HRB"),
        ("{trade} {town} AG", "HRB"),
        ("{family} UG (haftungsbeschränkt)", "HRB"),
    ),
)  # fmt: skip
