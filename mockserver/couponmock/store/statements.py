"""The tables and every statement the store runs, written once for both engines (`?` stands for a parameter).

A *world* is the first part of every key: a pack's records, a namespace's difference from its pack, or a copy of one.
"""

LAYOUT = 2

TABLES = (
    "CREATE TABLE couponmock_layout (version BIGINT NOT NULL)",
    "CREATE TABLE couponmock_pack (id {text} PRIMARY KEY, frozen BIGINT){options}",
    # ahead: seconds that the running clock is ahead of the real one. settings NULL: there are none.
    """CREATE TABLE couponmock_namespace (
        name {text} PRIMARY KEY, pack {text} NOT NULL, epoch BIGINT NOT NULL, frozen BIGINT,
        ahead BIGINT NOT NULL, settings {text}
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
    """CREATE TABLE couponmock_counter (
        world {text} NOT NULL, name {text} NOT NULL, value BIGINT NOT NULL, PRIMARY KEY (world, name)
    ){options}""",
    """CREATE TABLE couponmock_snapshot (
        namespace {text} NOT NULL, label {text} NOT NULL, epoch BIGINT NOT NULL, frozen BIGINT, ahead BIGINT NOT NULL,
        PRIMARY KEY (namespace, label)
    ){options}""",
    # The engine numbers the entries, so that nobody waits for anybody in order to get the next number.
    "CREATE TABLE couponmock_journal (number {number}, namespace {text} NOT NULL, entry {text} NOT NULL)",
    "CREATE UNIQUE INDEX couponmock_journal_key ON couponmock_journal (namespace, number)",
    # What the journal has ever told, though its entries be gone. namespace '': what dropped namespaces have seen.
    """CREATE TABLE couponmock_seen (
        namespace {text} NOT NULL, answer {text} NOT NULL, PRIMARY KEY (namespace, answer)
    ){options}""",
)
WRITE_LAYOUT = "INSERT INTO couponmock_layout (version) VALUES (?)"
READ_LAYOUT = "SELECT version FROM couponmock_layout"

CLAIM_PACK = "INSERT INTO couponmock_pack (id, frozen) VALUES (?, ?) ON CONFLICT (id) DO NOTHING"
READ_PACK = "SELECT frozen FROM couponmock_pack WHERE id = ?"
LIST_PACKS = "SELECT id FROM couponmock_pack ORDER BY id"
RECORD_COLUMNS = ("world", "kind", "id", "data")
OWN_RECORD_COLUMNS = (*RECORD_COLUMNS, "lookups")
COUNTER_COLUMNS = ("world", "name", "value")
LOOKUP_COLUMNS = ("world", "kind", "field", "value", "id")

CREATE_NAMESPACE = (
    "INSERT INTO couponmock_namespace (name, pack, epoch, frozen, ahead, settings) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (name) DO NOTHING"
)
READ_NAMESPACE = "SELECT name, pack, epoch, frozen, ahead, settings FROM couponmock_namespace WHERE name = ?"
LIST_NAMESPACES = "SELECT name, pack, epoch, frozen, ahead, settings FROM couponmock_namespace ORDER BY name"
SET_NAMESPACE = "UPDATE couponmock_namespace SET epoch = ?, frozen = ?, ahead = ?, settings = ? WHERE name = ?"
DROP_NAMESPACE = "DELETE FROM couponmock_namespace WHERE name = ?"
CLEAR_RECORDS = "DELETE FROM couponmock_record WHERE world = ?"
CLEAR_LOOKUPS = "DELETE FROM couponmock_lookup WHERE world = ?"
CLEAR_COUNTERS = "DELETE FROM couponmock_counter WHERE world = ?"
CLEAR_WORLD = (CLEAR_RECORDS, CLEAR_LOOKUPS, CLEAR_COUNTERS)

# Parameters: the world that is written, then the one that is copied.
COPY_RECORDS = (
    "INSERT INTO couponmock_record (world, kind, id, data, lookups)"
    " SELECT ?, kind, id, data, lookups FROM couponmock_record WHERE world = ?"
)
COPY_LOOKUPS = (
    "INSERT INTO couponmock_lookup (world, kind, field, value, id)"
    " SELECT ?, kind, field, value, id FROM couponmock_lookup WHERE world = ?"
)
COPY_COUNTERS = (
    "INSERT INTO couponmock_counter (world, name, value) SELECT ?, name, value FROM couponmock_counter WHERE world = ?"
)
COPY_WORLD = (COPY_RECORDS, COPY_LOOKUPS, COPY_COUNTERS)
PUT_SNAPSHOT = (
    "INSERT INTO couponmock_snapshot (namespace, label, epoch, frozen, ahead) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (namespace, label)"
    " DO UPDATE SET epoch = excluded.epoch, frozen = excluded.frozen, ahead = excluded.ahead"
)
READ_SNAPSHOT = (
    "SELECT namespace, label, epoch, frozen, ahead FROM couponmock_snapshot WHERE namespace = ? AND label = ?"
)
LIST_SNAPSHOTS = (
    "SELECT namespace, label, epoch, frozen, ahead FROM couponmock_snapshot WHERE namespace = ? ORDER BY label"
)
DROP_SNAPSHOT = "DELETE FROM couponmock_snapshot WHERE namespace = ? AND label = ?"

# The namespace is looked at, not locked: who records waits for nobody who changes it. Parameters: entry, namespace.
RECORD = "INSERT INTO couponmock_journal (namespace, entry) SELECT name, ? FROM couponmock_namespace WHERE name = ?"
JOURNAL = "SELECT entry FROM couponmock_journal WHERE namespace = ? ORDER BY number DESC LIMIT ?"
# Parameters: the namespace, twice, then how many of the newest entries stay.
TRIM_JOURNAL = (
    "DELETE FROM couponmock_journal WHERE namespace = ? AND number <= ("
    "SELECT number FROM couponmock_journal WHERE namespace = ? ORDER BY number DESC LIMIT 1 OFFSET ?)"
)
CLEAR_JOURNAL = "DELETE FROM couponmock_journal WHERE namespace = ?"

# What has been seen before is only looked up, so that recordings do not wait for each other.
SEE = "INSERT INTO couponmock_seen (namespace, answer) VALUES (?, ?) ON CONFLICT (namespace, answer) DO NOTHING"
SEEN = "SELECT answer FROM couponmock_seen WHERE namespace = ? ORDER BY answer"
SEEN_ANYWHERE = "SELECT DISTINCT answer FROM couponmock_seen ORDER BY answer"
# In order: of two namespaces that are dropped at once, one waits for the other and not each for each.
KEEP_SEEN = (
    "INSERT INTO couponmock_seen (namespace, answer)"
    " SELECT '', answer FROM couponmock_seen WHERE namespace = ? ORDER BY answer"
    " ON CONFLICT (namespace, answer) DO NOTHING"
)
CLEAR_SEEN = "DELETE FROM couponmock_seen WHERE namespace = ?"
CLEAR_SEEN_ANYWHERE = "DELETE FROM couponmock_seen"

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
# With one parameter more: how many at most.
FIND_FIRST = f"{FIND} LIMIT ?"
PAGE = "SELECT kind, id, data FROM couponmock_record WHERE world = ? AND (kind, id) > (?, ?) ORDER BY kind, id LIMIT ?"
PAGE_OF_KIND = (
    "SELECT kind, id, data FROM couponmock_record WHERE world = ? AND kind = ? AND id > ? ORDER BY kind, id LIMIT ?"
)
# How many records of each kind a world has.
COUNT_PACK = "SELECT kind, COUNT(*) FROM couponmock_record WHERE world = ? GROUP BY kind ORDER BY kind"
# By how many a namespace has more of each kind than its pack. Parameters: the pack's world, the namespace's.
COUNT_OWN = (
    "SELECT o.kind, SUM(CASE WHEN o.data IS NULL THEN 0 ELSE 1 END - CASE WHEN"
    " (SELECT 1 FROM couponmock_record p WHERE p.world = ? AND p.kind = o.kind AND p.id = o.id) IS NULL"
    " THEN 0 ELSE 1 END)"
    " FROM couponmock_record o WHERE o.world = ? GROUP BY o.kind ORDER BY o.kind"
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

READ_COUNTER = "SELECT value FROM couponmock_counter WHERE world IN (?, ?) AND name = ? ORDER BY world DESC LIMIT 1"
READ_COUNTERS = "SELECT name, value FROM couponmock_counter WHERE world IN (?, ?) ORDER BY world, name"
PUT_COUNTER = (
    "INSERT INTO couponmock_counter (world, name, value) VALUES (?, ?, ?)"
    " ON CONFLICT (world, name) DO UPDATE SET value = excluded.value"
)
