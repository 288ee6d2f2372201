"""The tables and every statement the store runs, written once for both engines (`?` stands for a parameter).

A *world* is the first part of every key: a pack's records, or a namespace's difference from its pack.
"""

LAYOUT = 1

TABLES = (
    "CREATE TABLE couponmock_layout (version BIGINT NOT NULL)",
    "CREATE TABLE couponmock_pack (id {text} PRIMARY KEY, frozen BIGINT){options}",
    """CREATE TABLE couponmock_namespace (
        name {text} PRIMARY KEY, pack {text} NOT NULL, epoch BIGINT NOT NULL, frozen BIGINT
    ){options}""",
    # data NULL: the namespace has deleted this record of its pack. lookups: what a namespace's record is found by, so
    # that replacing it touches exactly those rows; a pack never changes and does without.
    """CREATE TABLE couponmock_record (
        world {text} NOT NULL, kind {text} NOT NULL, id {text} NOT NULL, data {text}, lookups {text},
        PRIMARY KEY (world, kind, id)
    ){options}""",
    """CREATE TABLE couponmock_lookup (
        world {text} NOT NULL, kind {text} NOT NULL, field {text} NOT NULL, value {text} NOT NULL, id {text} NOT NULL,
        PRIMARY KEY (world, kind, field, value, id)
    ){options}""",
)
WRITE_LAYOUT = "INSERT INTO couponmock_layout (version) VALUES (?)"
READ_LAYOUT = "SELECT version FROM couponmock_layout"

CLAIM_PACK = "INSERT INTO couponmock_pack (id, frozen) VALUES (?, ?) ON CONFLICT (id) DO NOTHING"
READ_PACK = "SELECT frozen FROM couponmock_pack WHERE id = ?"
LIST_PACKS = "SELECT id FROM couponmock_pack ORDER BY id"
RECORD_COLUMNS = ("world", "kind", "id", "data")
LOOKUP_COLUMNS = ("world", "kind", "field", "value", "id")

CREATE_NAMESPACE = (
    "INSERT INTO couponmock_namespace (name, pack, epoch, frozen) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO NOTHING"
)
READ_NAMESPACE = "SELECT name, pack, epoch, frozen FROM couponmock_namespace WHERE name = ?"
LIST_NAMESPACES = "SELECT name, pack, epoch, frozen FROM couponmock_namespace ORDER BY name"
SET_EPOCH = "UPDATE couponmock_namespace SET epoch = ? WHERE name = ?"
DROP_NAMESPACE = "DELETE FROM couponmock_namespace WHERE name = ?"
CLEAR_RECORDS = "DELETE FROM couponmock_record WHERE world = ?"
CLEAR_LOOKUPS = "DELETE FROM couponmock_lookup WHERE world = ?"

# A namespace's world sorts after a pack's, so its own record comes first.
GET = "SELECT data FROM couponmock_record WHERE world IN (?, ?) AND kind = ? AND id = ? ORDER BY world DESC LIMIT 1"
# Each part is one walk along the index; the scalar subqueries keep a planner from turning the probes by primary key
# into joins over whole worlds. Parameters: the namespace's world, kind, field, value, then the pack's world, kind,
# field, value, then the namespace's world.
FIND = (
    "SELECT l.id AS id,"
    " (SELECT r.data FROM couponmock_record r WHERE r.world = l.world AND r.kind = l.kind AND r.id = l.id) AS data"
    " FROM couponmock_lookup l WHERE l.world = ? AND l.kind = ? AND l.field = ? AND l.value = ?"
    " UNION ALL "
    "SELECT l.id AS id,"
    " (SELECT r.data FROM couponmock_record r WHERE r.world = l.world AND r.kind = l.kind AND r.id = l.id) AS data"
    " FROM couponmock_lookup l WHERE l.world = ? AND l.kind = ? AND l.field = ? AND l.value = ?"
    " AND (SELECT 1 FROM couponmock_record o WHERE o.world = ? AND o.kind = l.kind AND o.id = l.id) IS NULL"
    " ORDER BY id"
)
PAGE = "SELECT kind, id, data FROM couponmock_record WHERE world = ? AND (kind, id) > (?, ?) ORDER BY kind, id LIMIT ?"
PAGE_OF_KIND = (
    "SELECT kind, id, data FROM couponmock_record WHERE world = ? AND kind = ? AND id > ? ORDER BY kind, id LIMIT ?"
)

OWN_LOOKUPS = "SELECT lookups FROM couponmock_record WHERE world = ? AND kind = ? AND id = ?"
EXISTS = "SELECT 1 FROM couponmock_record WHERE world = ? AND kind = ? AND id = ?"
PUT = (
    "INSERT INTO couponmock_record (world, kind, id, data, lookups) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (world, kind, id) DO UPDATE SET data = excluded.data, lookups = excluded.lookups"
)
REMOVE = "DELETE FROM couponmock_record WHERE world = ? AND kind = ? AND id = ?"
PUT_LOOKUP = "INSERT INTO couponmock_lookup (world, kind, field, value, id) VALUES (?, ?, ?, ?, ?)"
REMOVE_LOOKUP = "DELETE FROM couponmock_lookup WHERE world = ? AND kind = ? AND field = ? AND value = ? AND id = ?"
