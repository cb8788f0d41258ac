/*
 * net_fields.h
 *	  The tagged fields of a network's header, which extend the first format.
 *
 * A field is a number of MrenNet (or of its shape), or bytes of it.  A field
 * with its default value is not written, so a network that uses nothing new has
 * no fields.  A new field is a row of the table in net_fields.c; a tag is never
 * reused with another meaning, and unknown tags are refused.
 */
#ifndef MREN_RELATION_NET_FIELDS_H
#define MREN_RELATION_NET_FIELDS_H

#include "relation/net_internal.h"

/* Gives every field its default value, and leaves the rest of net as it is. */
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
