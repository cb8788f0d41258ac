/*
 * network_type.h
 *	  The type mren.network: a trained network as one portable value.
 *
 * The value is an envelope around the core's bytes of a network, with the options
 * that it was trained with and the metrics of its validation.  It contains no time
 * and no duration, so equal trainings give equal bytes.
 */
#ifndef MREN_PG_MODEL_NETWORK_TYPE_H
#define MREN_PG_MODEL_NETWORK_TYPE_H

#include "postgres.h"

#include "relation/net.h"
#include "tagger/tagger.h"

typedef struct MrenNetwork
{
	MrenNet *net;		/* exactly one of these two is set */
	MrenTagger *tagger; /* NULL in a value of type mren.network */
	char *options;		/* a JSON object as UTF-8 */
	char *metrics;		/* the same, or NULL */
} MrenNetwork;

/*
 * mren_network_datum
 *	  The network as a value of type mren.network, which is also what
 *	  mren.export_model returns.  The JSON texts are brought into jsonb's canonical
 *	  form.  54000 if the value would exceed the maximum size of a field.
 */
extern Datum mren_network_datum(const MrenNetwork *network);

/*
 * mren_network_read
 *	  Reads a value of type mren.network, or a bytea of the same content, into the
 *	  context, and validates all of it.  22P03 for bytes that are not a network,
 *	  the core's own errors for a network that is not valid.
 */
extern void mren_network_read(Datum value, MemoryContext context, MrenNetwork *network);

/* The same of a value that mren.export_model returned, which may be a tagger. */
extern void mren_network_read_any(Datum value, MemoryContext context, MrenNetwork *network);

/* UTF-8 JSON as jsonb; an error if it is not a JSON object. */
extern Datum mren_network_jsonb(const char *utf8);

/* A jsonb's text as UTF-8; palloc'd. */
extern char *mren_network_json_text(Datum jsonb);

/* Its relations, or a tagger's types, as text[], in the order of their numbers. */
extern Datum mren_network_relations(const MrenNetwork *network);

/* SHA-256 of the core's bytes: the identity of a version. */
extern void mren_network_sha256(const MrenNetwork *network, uint8 *sha256);

#endif
