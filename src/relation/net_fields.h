/*
 * net_fields.h
 *	  The tagged fields of a network's header: what came after the first
 *	  format, and what is still to come.
 *
 * A field is a number of MrenNet (its shape included), or bytes of it.  One whose
 * value is the usual one is not written, so a network that uses nothing new
 * has no fields.  Adding one is a row of the table in net_fields.c; a tag is
 * never used again for another meaning, and a reader refuses tags it does not know.
 */
#ifndef MREN_RELATION_NET_FIELDS_H
#define MREN_RELATION_NET_FIELDS_H

#include "relation/net_internal.h"

/* Gives every field its usual value; net's other members are left alone. */
extern void mren_net_fields_init(MrenNet *net);
/* Releases the fields that are bytes. */
extern void mren_net_fields_free(const MrenEnv *env, MrenNet *net);

/*
 * mren_net_fields_put
 *	  Appends u32 number of fields, then each as u32 tag, u32 length, value,
 *	  in ascending order of tags.  A number is 8 bytes.
 */
extern MrenStatus mren_net_fields_put(const MrenNet *net, const MrenEnv *env, MrenBuffer *out,
									  MrenError *err);

/* MREN_EFORMAT for an unknown tag, a length or value out of its range, or disorder. */
extern MrenStatus mren_net_fields_read(const MrenEnv *env, MrenCursor *cursor, MrenNet *net,
									   MrenError *err);

#endif
