#include "wire/proto.h"

#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/reader.h"
#include "wire/utf8.h"

#include <errno.h>

enum {
	BLOCK_BYTES = 4096
};

struct proto_block {
	struct proto_block *next;
	size_t used, size;
	_Alignas(max_align_t) uint8_t bytes[];
};

static struct proto_block *block_add(struct proto_arena *a, size_t least)
{
	size_t size = a->used > 4 * BLOCK_BYTES ? 8 * BLOCK_BYTES
						: BLOCK_BYTES - sizeof(struct proto_block);
	if (size < least)
		size = least;
	struct proto_block *b = mem_zalloc(sizeof *b + size);
	if (!b)
		return NULL;
	b->size = size;
	/* A block made for one large thing must not hide the half-empty one before it. */
	if (a->first && size == least) {
		b->next = a->first->next;
		a->first->next = b;
	} else {
		b->next = a->first;
		a->first = b;
	}
	return b;
}

void *proto_alloc(struct proto_arena *a, size_t size)
{
	size_t max = a->max ? a->max : LIMIT_PROTO_ARENA_BYTES;
	if (size > max || a->used > max - size) {
		a->failed = a->full = true;
		return NULL;
	}

	const size_t unit = _Alignof(max_align_t);
	size = (size + !size + unit - 1) / unit * unit;
	struct proto_block *b = a->first;
	if (!b || b->size - b->used < size)
		b = block_add(a, size);
	if (!b) {
		a->failed = true;
		return NULL;
	}
	void *p = b->bytes + b->used;
	b->used += size;
	a->used += size;
	return p;
}

char *proto_text_span(struct proto_arena *a, struct span text)
{
	char *copy = proto_alloc(a, text.size + 1);
	if (copy && text.size)
		memcpy(copy, text.data, text.size);
	return copy;
}

char *proto_text(struct proto_arena *a, const char *text)
{
	return proto_text_span(a, span_text(text));
}

void proto_arena_fini(struct proto_arena *a)
{
	for (struct proto_block *b = a->first, *next; b; b = next) {
		next = b->next;
		mem_free(b);
	}
	*a = (struct proto_arena){.max = a->max};
}

ProtobufCMessage *proto_new(struct proto_arena *a, const ProtobufCMessageDescriptor *type)
{
	ProtobufCMessage *m = proto_alloc(a, type->sizeof_message);
	if (m)
		protobuf_c_message_init(type, m);
	return m;
}

/* ---- what protobuf-c does not check ---- */

enum {
	WIRE_VARINT = 0,
	WIRE_64 = 1,
	WIRE_BYTES = 2,
	WIRE_32 = 5,
};

static uint64_t read_varint(struct reader *r)
{
	uint64_t value = 0;
	for (int shift = 0; shift < 70; shift += 7) {
		uint8_t b = read_u8(r);
		value |= shift < 64 ? (uint64_t)(b & 0x7f) << shift : 0;
		if (!(b & 0x80))
			return value;
	}
	r->bad = true;
	return 0;
}

static bool check_message(const ProtobufCMessageDescriptor *type, struct span bytes);

static bool check_bytes(const ProtobufCFieldDescriptor *f, struct span value)
{
	if (f && f->type == PROTOBUF_C_TYPE_STRING)
		return utf8_ok_string(value);
	if (f && f->type == PROTOBUF_C_TYPE_MESSAGE)
		return check_message(f->descriptor, value);
	return true;
}

static bool check_message(const ProtobufCMessageDescriptor *type, struct span bytes)
{
	struct reader r = reader_of(bytes);
	while (!r.bad && reader_left(&r)) {
		uint64_t tag = read_varint(&r);
		if (tag >> 3 == 0 || tag > UINT32_MAX)
			return false;
		const ProtobufCFieldDescriptor *f =
			protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3));
		uint64_t size;
		switch (tag & 7) {
		case WIRE_VARINT:
			read_varint(&r);
			break;
		case WIRE_64:
			read_bytes(&r, 8);
			break;
		case WIRE_32:
			read_bytes(&r, 4);
			break;
		case WIRE_BYTES:
			size = read_varint(&r);
			if (size > reader_left(&r) || !check_bytes(f, read_bytes(&r, size)))
				return false;
			break;
		default: /* groups: nobody sends them */
			return false;
		}
	}
	return !r.bad;
}

static void *arena_alloc(void *arena, size_t size)
{
	return proto_alloc(arena, size);
}

static void arena_free(void *arena, void *p)
{
	/* Goes with the arena. */
}

int proto_unpack(ProtobufCMessage **ret, struct proto_arena *a,
	const ProtobufCMessageDescriptor *type, struct span bytes)
{
	if (bytes.size && !check_message(type, bytes))
		return PROTO_E_MALFORMED;

	ProtobufCAllocator allocator = {
		.alloc = arena_alloc, .free = arena_free, .allocator_data = a};
	a->failed = a->full = false;
	ProtobufCMessage *m = protobuf_c_message_unpack(
		type, &allocator, bytes.size, bytes.size ? bytes.data : (const uint8_t *)"");
	if (!m && a->full)
		return PROTO_E_LIMIT;
	if (!m && a->failed)
		return err_new(-ENOMEM);
	if (!m)
		return PROTO_E_MALFORMED;
	*ret = m;
	return 0;
}

/* ---- packing ---- */

struct packer {
	ProtobufCBuffer base;
	struct buf *b;
	int r; /* of the first append that failed */
};

static void packer_append(ProtobufCBuffer *base, size_t size, const uint8_t *data)
{
	struct packer *p = container_of(base, struct packer, base);
	if (p->r == 0)
		p->r = buf_add(p->b, data, size);
}

int proto_pack(struct buf *b, const ProtobufCMessage *m)
{
	size_t before = b->size;
	struct packer p = {.base.append = packer_append, .b = b};
	protobuf_c_message_pack_to_buffer(m, &p.base);
	if (p.r != 0) {
		b->size = before;
		if (b->data)
			b->data[before] = 0;
	}
	return p.r;
}

/* ---- how fields look ---- */

bool proto_is_map(const ProtobufCFieldDescriptor *f)
{
	if (f->label != PROTOBUF_C_LABEL_REPEATED || f->type != PROTOBUF_C_TYPE_MESSAGE)
		return false;
	/* protobuf-c forgets the option map_entry; protoc names such a type <Field>Entry. */
	const ProtobufCMessageDescriptor *entry = f->descriptor;
	size_t size = strlen(entry->short_name);
	return size > 5 && strcmp(entry->short_name + size - 5, "Entry") == 0 &&
	       entry->n_fields == 2 && strcmp(entry->fields[0].name, "key") == 0 &&
	       strcmp(entry->fields[1].name, "value") == 0;
}

size_t proto_value_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_ENUM:
		return 4;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return 8;
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		break;
	}
	return sizeof(void *);
}
