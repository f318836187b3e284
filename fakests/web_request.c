/* SPDX-License-Identifier: BSD-2-Clause */
#include "fakests/web_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void web_connection_write(unsigned conn, char text[WEB_CONNECTION_TEXT])
{
    snprintf(text, WEB_CONNECTION_TEXT, "::%x:%x", conn >> 16 & 0xffff, conn & 0xffff);
}

unsigned web_connection_read(const char *text)
{
    unsigned high, low;
    return sscanf(text, "::%4x:%4x", &high, &low) == 2 ? high << 16 | low : 0;
}

static void set_name(struct web_request *out, const char *value)
{
    out->name = value;
}

static void set_agent(struct web_request *out, const char *value)
{
    out->agent = value;
}

static void set_type(struct web_request *out, const char *value)
{
    out->type = value;
}

static void set_length(struct web_request *out, const char *value)
{
    out->length = strtoul(value, NULL, 10);
}

static void set_host(struct web_request *out, const char *value)
{
    out->host = strtoul(value, NULL, 10);
}

static void set_conn(struct web_request *out, const char *value)
{
    out->conn = web_connection_read(value);
}

static const struct {
    const char *name;
    void (*set)(struct web_request *out, const char *value);
} headers[] = {
    {"Host", set_name},   {"User-Agent", set_agent},  {"Content-Type", set_type}, {"Content-Length", set_length},
    {"X-Host", set_host}, {"X-Connection", set_conn},
};

/* Cuts the line off the text; NULL at the end of the head. */
static char *next_line(char **text)
{
    char *line = *text, *end = strstr(line, "\r\n");
    if (end == NULL || end == line)
        return NULL;
    *end = '\0';
    *text = end + 2;
    return line;
}

static void read_header(char *line, struct web_request *out)
{
    char *colon = strchr(line, ':');
    if (colon == NULL)
        return;
    *colon = '\0';
    for (size_t i = 0; i < COUNT(headers); i++)
        if (strcasecmp(line, headers[i].name) == 0)
            headers[i].set(out, colon + 1 + strspn(colon + 1, " \t"));
}

enum web_request_found web_request_parse(struct arena *arena, const char *bytes, size_t length, struct web_request *out)
{
    const char *end = memmem(bytes, length, "\r\n\r\n", 4);
    if (end == NULL)
        return length < WEB_REQUEST_MAX ? WEB_REQUEST_MORE : WEB_REQUEST_BROKEN;
    char *text = arena_strndup(arena, bytes, (size_t)(end - bytes) + 2);
    char *line = next_line(&text);
    char *path = line != NULL ? strchr(line, ' ') : NULL;
    char *version = path != NULL ? strchr(path + 1, ' ') : NULL;
    if (version == NULL)
        return WEB_REQUEST_BROKEN;
    *path = *version = '\0';
    *out = (struct web_request){.method = line, .path = path + 1, .name = "", .agent = "", .type = ""};
    out->head = (size_t)(end - bytes) + 4;
    while ((line = next_line(&text)) != NULL)
        read_header(line, out);
    return WEB_REQUEST_COMPLETE;
}
