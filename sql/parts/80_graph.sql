-- Knowledge graphs: their catalog, and the functions that build and read them.
--
-- The tables of a graph are ordinary tables of its owner, in a schema that the
-- owner chooses.  They are not members of the extension and do not depend on it.

CREATE SEQUENCE mren.graph_id;
CREATE SEQUENCE mren.graph_run_id;

-- source is a single SELECT, which runs as the owner with this search_path.
CREATE TABLE mren.graph (
    id          bigint PRIMARY KEY DEFAULT pg_catalog.nextval('mren.graph_id'),
    name        text COLLATE "C" NOT NULL UNIQUE,
    owner       name NOT NULL,
    schema      name NOT NULL,
    made_schema boolean NOT NULL,
    layout      integer NOT NULL,
    source      text NOT NULL,
    search_path text NOT NULL,
    model       text COLLATE "C" NOT NULL,
    tagger      text COLLATE "C",
    lexicons    text[],
    options     jsonb NOT NULL,
    created_at  timestamptz NOT NULL
);
COMMENT ON TABLE mren.graph IS
    'Knowledge graphs, one row per graph; layout is the version of the layout of its tables.';

CREATE TABLE mren.graph_run (
    id          bigint PRIMARY KEY DEFAULT pg_catalog.nextval('mren.graph_run_id'),
    graph       bigint NOT NULL,
    name        text COLLATE "C" NOT NULL,
    started_by  name NOT NULL,
    started_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    finished_at timestamptz,
    status      text NOT NULL CHECK (status IN ('running', 'succeeded', 'failed', 'canceled', 'died', 'busy')),
    backend     integer NOT NULL,
    phase       text NOT NULL,
    done        bigint NOT NULL DEFAULT 0,
    total       bigint,
    per_second  double precision,
    seconds_left double precision,
    summary     jsonb,
    sqlstate    text,
    message     text
);
CREATE INDEX graph_run_graph ON mren.graph_run (graph, id);
COMMENT ON TABLE mren.graph_run IS
    'Every refresh of a knowledge graph, running or finished.';

SELECT pg_catalog.pg_extension_config_dump('mren.graph_id', '');
SELECT pg_catalog.pg_extension_config_dump('mren.graph_run_id', '');
SELECT pg_catalog.pg_extension_config_dump('mren.graph', '');
SELECT pg_catalog.pg_extension_config_dump('mren.graph_run', '');

CREATE FUNCTION mren.normalize_name(name text) RETURNS text
AS 'MODULE_PATHNAME', 'mren_normalize_name'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.normalize_name(text) IS
    'Returns a name in the form in which knowledge graphs compare names: NFKC, case-folded, with white space collapsed.';

CREATE FUNCTION mren.document_hash(document text, image bytea, image_vector real[]) RETURNS bytea
AS 'MODULE_PATHNAME', 'mren_document_hash'
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mren.document_hash(text, bytea, real[]) IS
    'Returns the SHA-256 hash of a document''s text, image and image vector, by which mren.refresh_graph detects changed documents.';

CREATE FUNCTION mren.graph_identity(key text) RETURNS uuid
AS 'MODULE_PATHNAME', 'mren_graph_identity'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.graph_identity(text) IS
    'Returns the identifier of an entity or a fact of a knowledge graph: the first half of the SHA-256 hash of its key.';

CREATE FUNCTION mren.noisy_or_add(state double precision, probability double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'mren_noisy_or_add'
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION mren.noisy_or_add(double precision, double precision) IS
    'Transition function of mren.noisy_or.';

CREATE FUNCTION mren.noisy_or_final(state double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'mren_noisy_or_final'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.noisy_or_final(double precision) IS
    'Final function of mren.noisy_or.';

CREATE AGGREGATE mren.noisy_or(probability double precision) (
    SFUNC = mren.noisy_or_add,
    STYPE = double precision,
    FINALFUNC = mren.noisy_or_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE mren.noisy_or(double precision) IS
    'Returns the probability that at least one of several independent events occurs, which is one minus the product of (1 - probability). The result depends on the order of the rows in its last bits; use ORDER BY to reproduce it.';

CREATE FUNCTION mren.create_graph(graph text, source text, model text, tagger text DEFAULT NULL, lexicons text[] DEFAULT NULL,
    relation_schema regclass DEFAULT NULL, in_schema text DEFAULT NULL, options jsonb DEFAULT '{}') RETURNS void
AS 'MODULE_PATHNAME', 'mren_create_graph'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.create_graph(text, text, text, text, text[], regclass, text, jsonb) IS
    'Creates a knowledge graph and its tables; mren.refresh_graph fills them from the documents of a table or query. The source must have the columns key and document, and may have image, image_vector and seen_at.';

CREATE FUNCTION mren.drop_graph(graph text, drop_tables boolean DEFAULT false) RETURNS void
AS 'MODULE_PATHNAME', 'mren_drop_graph'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.drop_graph(text, boolean) IS
    'Drops a knowledge graph; its tables remain unless drop_tables is true.';

CREATE FUNCTION mren.alter_graph_owner(graph text, new_owner name) RETURNS void
AS 'MODULE_PATHNAME', 'mren_alter_graph_owner'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.alter_graph_owner(text, name) IS
    'Changes the owner of a knowledge graph and of its tables; its source is then read as the new owner. The caller must be a member of the old and of the new owner.';

CREATE FUNCTION mren.upgrade_graph(graph text) RETURNS void
AS 'MODULE_PATHNAME', 'mren_upgrade_graph'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.upgrade_graph(text) IS
    'Brings the tables of a knowledge graph that an older version of mren created to the present layout, and creates missing indexes and views.';

CREATE FUNCTION mren.merge_graph(graph text) RETURNS jsonb
AS 'MODULE_PATHNAME', 'mren_merge_graph'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.merge_graph(text) IS
    'Applies changes of aliases, relations and reviews to a knowledge graph without reading or scoring documents, and returns a summary.';

CREATE PROCEDURE mren.refresh_graph(graph text, INOUT summary jsonb DEFAULT NULL)
AS 'MODULE_PATHNAME', 'mren_refresh_graph'
LANGUAGE C;
COMMENT ON PROCEDURE mren.refresh_graph(text, jsonb) IS
    'Brings a knowledge graph up to date with its documents: scores documents that are new or changed or were scored with another model, tagger or lexicon, and removes the evidence of documents that no longer exist.';

-- These functions run as the caller, who needs SELECT on the tables of the graph.

CREATE FUNCTION mren.paths(graph text, source text, target text, max_hops integer DEFAULT 3, max_paths integer DEFAULT 100)
RETURNS TABLE (hops integer, confidence double precision, path text, entities text[], relations text[], facts uuid[])
AS 'MODULE_PATHNAME', 'mren_paths'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 100000 ROWS 10;
COMMENT ON FUNCTION mren.paths(text, text, text, integer, integer) IS
    'Returns the paths between two entities of a knowledge graph that have at most max_hops facts, followed in either direction, and visit no entity twice; the shortest come first, and of equally short paths those with the highest confidence.';

CREATE FUNCTION mren.export_ntriples(graph text, base_iri text DEFAULT 'urn:mren:') RETURNS SETOF text
AS 'MODULE_PATHNAME', 'mren_export_ntriples'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 100000 ROWS 10000;
COMMENT ON FUNCTION mren.export_ntriples(text, text) IS
    'Returns the entities and facts of a knowledge graph as lines of N-Triples.';

CREATE FUNCTION mren.export_csv(graph text) RETURNS SETOF text
AS 'MODULE_PATHNAME', 'mren_export_csv'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 100000 ROWS 10000;
COMMENT ON FUNCTION mren.export_csv(text) IS
    'Returns the facts of a knowledge graph as CSV records (RFC 4180), beginning with a header.';

CREATE FUNCTION mren.export_dot(graph text) RETURNS SETOF text
AS 'MODULE_PATHNAME', 'mren_export_dot'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 100000 ROWS 10000;
COMMENT ON FUNCTION mren.export_dot(text) IS
    'Returns the facts of a knowledge graph as the lines of a Graphviz digraph.';

-- Shows the graphs of roles that the current user is a member of; to superusers, all.
CREATE VIEW mren.graphs WITH (security_barrier) AS
SELECT g.name AS graph,
       g.owner,
       g.schema,
       g.source,
       g.search_path,
       g.model,
       g.tagger,
       g.lexicons,
       g.options,
       g.layout,
       g.created_at
FROM mren.graph g
WHERE EXISTS (
          SELECT FROM pg_catalog.pg_roles a
          WHERE a.rolname OPERATOR(pg_catalog.=) g.owner AND pg_catalog.pg_has_role(a.oid, 'USAGE'))
   OR EXISTS (
          SELECT FROM pg_catalog.pg_roles a
          WHERE a.rolname OPERATOR(pg_catalog.=) current_user AND a.rolsuper);
COMMENT ON VIEW mren.graphs IS
    'Knowledge graphs that the current user owns.';

-- A refresh that is marked as running died if its backend does not hold the lock
-- of the graph (src/pg/support/task_lock.h).  A standby cannot see the locks of
-- the primary.
CREATE VIEW mren.graph_runs WITH (security_barrier) AS
SELECT r.id AS run,
       r.name AS graph,
       CASE
           WHEN r.status OPERATOR(pg_catalog.<>) 'running' OR pg_catalog.pg_is_in_recovery() THEN r.status
           WHEN EXISTS (
               SELECT FROM pg_catalog.pg_locks l
               WHERE l.locktype OPERATOR(pg_catalog.=) 'object'
                 AND l.database OPERATOR(pg_catalog.=) (
                     SELECT d.oid FROM pg_catalog.pg_database d
                     WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
                 AND l.classid OPERATOR(pg_catalog.=) 'mren.graph'::pg_catalog.regclass::pg_catalog.oid
                 AND l.objid::pg_catalog.int8 OPERATOR(pg_catalog.=)
                     (r.graph OPERATOR(pg_catalog.&) 4294967295)
                 AND l.pid OPERATOR(pg_catalog.=) r.backend
                 AND l.granted) THEN r.status
           ELSE 'died'
       END AS status,
       r.phase,
       r.done,
       r.total,
       r.per_second,
       r.seconds_left,
       r.started_by,
       r.started_at,
       r.updated_at,
       r.finished_at,
       r.summary,
       r.sqlstate,
       r.message,
       r.backend
FROM mren.graph_run r
WHERE EXISTS (
          SELECT FROM pg_catalog.pg_roles a
          WHERE a.rolname OPERATOR(pg_catalog.=) r.started_by AND pg_catalog.pg_has_role(a.oid, 'USAGE'))
   OR EXISTS (
          SELECT FROM mren.graph g
          JOIN pg_catalog.pg_roles a ON a.rolname OPERATOR(pg_catalog.=) g.owner
          WHERE g.id OPERATOR(pg_catalog.=) r.graph AND pg_catalog.pg_has_role(a.oid, 'USAGE'))
   OR EXISTS (
          SELECT FROM pg_catalog.pg_roles a
          WHERE a.rolname OPERATOR(pg_catalog.=) current_user AND a.rolsuper);
COMMENT ON VIEW mren.graph_runs IS
    'Every refresh of a knowledge graph, including those that failed, that the current user started or whose graph the current user owns. The status died means that the server process ended without recording a result.';

CREATE VIEW mren.graph_progress WITH (security_barrier) AS
SELECT r.graph,
       r.run,
       r.status,
       r.phase,
       r.done,
       r.total,
       r.per_second,
       r.seconds_left,
       r.started_at,
       r.started_by
FROM mren.graph_runs r
WHERE r.status OPERATOR(pg_catalog.=) 'running'
   OR (r.status OPERATOR(pg_catalog.=) 'died'
       AND NOT EXISTS (SELECT FROM mren.graph_run died
                       JOIN mren.graph_run later ON later.graph OPERATOR(pg_catalog.=) died.graph
                         AND later.id OPERATOR(pg_catalog.>) died.id
                       WHERE died.id OPERATOR(pg_catalog.=) r.run));
COMMENT ON VIEW mren.graph_progress IS
    'Refreshes that are running, as other sessions see them; one that died is shown until the graph is refreshed again.';
