#include "dicom/network/wire.h"

#include <stdio.h>
#include <string.h>

uint32_t wire_number(const unsigned char *at, int bytes)
{
	uint32_t number = 0;

	for (int i = 0; i < bytes; i++)
		number = number << 8 | at[i];
	return number;
}

static void store(unsigned char *to, uint32_t number, int bytes)
{
	for (int i = 0; i < bytes; i++)
		to[i] = (unsigned char)(number >> 8 * (bytes - 1 - i));
}

void wire_put(struct buf *out, uint32_t number, int bytes)
{
	unsigned char text[4];

	store(text, number, bytes);
	buf_add(out, text, (size_t)bytes);
}

bool wire_take(struct wire_view *v, unsigned int *type, struct wire_view *item)
{
	size_t length;

	if (v->left < 4)
		return false;
	length = wire_number(v->at + 2, 2);
	if (v->left - 4 < length)
		return false;
	*type = v->at[0];
	*item = (struct wire_view){ v->at + 4, length };
	v->at += 4 + length;
	v->left -= 4 + length;
	return true;
}

void wire_put_item(struct buf *out, unsigned int type, const void *content, size_t length)
{
	wire_put(out, type << 8, 2);
	wire_put(out, (uint32_t)length, 2);
	buf_add(out, content, length);
}

void wire_begin(struct buf *out, enum wire_pdu type)
{
	wire_put(out, (uint32_t)type << 8, 2);
	wire_put(out, 0, 4);
}

void wire_end(struct buf *out, size_t begin)
{
	if (!out->failed)
		store((unsigned char *)out->data + begin + 2,
			(uint32_t)(out->length - begin - WIRE_HEAD), 4);
}

void wire_short(unsigned char out[WIRE_SHORT], enum wire_pdu type, const unsigned char last[4])
{
	store(out, (uint32_t)type << 8, 2);
	store(out + 2, 4, 4);
	memcpy(out + WIRE_HEAD, last, 4);
}

bool wire_uid(struct wire_view item, char out[WIRE_UID + 1])
{
	out[0] = '\0';
	while (item.left > 0 && (item.at[item.left - 1] == '\0' || item.at[item.left - 1] == ' '))
		item.left--;
	if (item.left == 0 || item.left > WIRE_UID)
		return false;
	for (size_t i = 0; i < item.left; i++)
		if (item.at[i] != '.' && (item.at[i] < '0' || item.at[i] > '9'))
			return false;
	memcpy(out, item.at, item.left);
	out[item.left] = '\0';
	return true;
}

void wire_title(const unsigned char field[WIRE_TITLE], char out[WIRE_TITLE_SIZE])
{
	size_t first = 0, end = strnlen((const char *)field, WIRE_TITLE), n = 0;

	while (end > 0 && field[end - 1] == ' ')
		end--;
	while (first < end && field[first] == ' ')
		first++;
	for (; first < end; first++) {
		bool plain = field[first] >= 0x20 && field[first] < 0x7f && field[first] != '\\';

		n += (size_t)snprintf(
			out + n, WIRE_TITLE_SIZE - n, plain ? "%c" : "\\x%02x", field[first]);
	}
	out[n] = '\0';
}

void wire_put_title(struct buf *out, const char *title)
{
	static const char blanks[WIRE_TITLE + 1] = "                ";
	size_t length = strnlen(title, WIRE_TITLE);

	buf_add(out, title, length);
	buf_add(out, blanks, WIRE_TITLE - length);
}

bool wire_take_pdv(struct wire_view *v, struct wire_pdv *pdv)
{
	size_t length;

	if (v->left < WIRE_PDV_HEAD)
		return false;
	length = wire_number(v->at, 4);
	if (length < 2 || length > v->left - 4)
		return false;
	*pdv = (struct wire_pdv){ v->at[4], v->at[5], { v->at + WIRE_PDV_HEAD, length - 2 } };
	v->at += 4 + length;
	v->left -= 4 + length;
	return true;
}

void wire_data_head(
	unsigned char out[WIRE_DATA_HEAD], uint8_t context, uint8_t control, size_t length)
{
	store(out, WIRE_DATA << 8, 2);
	store(out + 2, (uint32_t)length + WIRE_PDV_HEAD, 4);
	store(out + 6, (uint32_t)length + 2, 4);
	out[10] = context;
	out[11] = control;
}
