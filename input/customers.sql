CREATE TABLE customers (
    number integer PRIMARY KEY,
    name text NOT NULL,
    street text,
    postcode text,
    city text,
    country char(2),
    email text,
    supplier boolean
);
INSERT INTO customers VALUES
    (73001, 'Apotheek De Linde', 'Lindestraat 5', '1015 KV', 'Amsterdam', 'NL', 'info@delinde.example', false),
    (73002, 'Visgroothandel Oostende', 'Visserskaai 30', '8400', 'Oostende', 'BE', NULL, true);
