/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/tickets.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct ticket {
    TAILQ_ENTRY(ticket) link;
    unsigned char channel[SHA256_DIGEST_LENGTH]; /* a peer chooses how long the key is */
    SSL_SESSION *session;
    time_t proven;
};
TAILQ_HEAD(ticket_list, ticket);

struct tickets {
    const struct clock *clock;
    double life_s;
    struct ticket_list kept; /* the oldest first */
    size_t count;
};

static void name_channel(unsigned char name[SHA256_DIGEST_LENGTH], const char *channel)
{
    SHA256((const unsigned char *)channel, strlen(channel), name);
}

static bool is_of(const struct ticket *ticket, const unsigned char *channel)
{
    return memcmp(ticket->channel, channel, SHA256_DIGEST_LENGTH) == 0;
}

static bool is_alive(const struct tickets *tickets, time_t proven)
{
    return difftime(tickets_now(tickets), proven) < tickets->life_s;
}

/* The session is the caller's. */
static SSL_SESSION *unkeep(struct tickets *tickets, struct ticket *ticket)
{
    SSL_SESSION *session = ticket->session;
    TAILQ_REMOVE(&tickets->kept, ticket, link);
    tickets->count--;
    free(ticket);
    return session;
}

static void drop_first(struct tickets *tickets)
{
    SSL_SESSION_free(unkeep(tickets, TAILQ_FIRST(&tickets->kept)));
}

static void make_room(struct tickets *tickets, const unsigned char *channel)
{
    struct ticket *ticket, *oldest = NULL;
    size_t of_channel = 0;
    TAILQ_FOREACH_REVERSE(ticket, &tickets->kept, ticket_list, link)
    {
        if (is_of(ticket, channel)) {
            oldest = ticket;
            of_channel++;
        }
    }
    if (of_channel >= TICKETS_OF_CHANNEL_MAX)
        SSL_SESSION_free(unkeep(tickets, oldest));
    if (tickets->count >= TICKETS_MAX)
        drop_first(tickets);
}

void tickets_give(struct tickets *tickets, const char *channel, SSL_SESSION *session, time_t proven)
{
    struct ticket *ticket = calloc(1, sizeof *ticket);
    if (ticket == NULL)
        abort();
    name_channel(ticket->channel, channel);
    ticket->session = session;
    ticket->proven = proven;
    make_room(tickets, ticket->channel);
    TAILQ_INSERT_TAIL(&tickets->kept, ticket, link);
    tickets->count++;
}

static struct ticket *newest_of(struct tickets *tickets, const char *channel)
{
    struct ticket *ticket;
    unsigned char name[SHA256_DIGEST_LENGTH];
    name_channel(name, channel);
    TAILQ_FOREACH_REVERSE(ticket, &tickets->kept, ticket_list, link)
    if (is_of(ticket, name))
        return ticket;
    return NULL;
}

SSL_SESSION *tickets_take(struct tickets *tickets, const char *channel, time_t *proven)
{
    for (struct ticket *ticket; (ticket = newest_of(tickets, channel)) != NULL;) {
        *proven = ticket->proven;
        SSL_SESSION *session = unkeep(tickets, ticket);
        if (is_alive(tickets, *proven))
            return session;
        SSL_SESSION_free(session);
    }
    return NULL;
}

void tickets_forget_channel(struct tickets *tickets, const char *channel)
{
    for (struct ticket *ticket; (ticket = newest_of(tickets, channel)) != NULL;)
        SSL_SESSION_free(unkeep(tickets, ticket));
}

void tickets_forget(struct tickets *tickets)
{
    while (tickets->count > 0)
        drop_first(tickets);
}

time_t tickets_now(const struct tickets *tickets)
{
    return clock_now(tickets->clock);
}

struct tickets *tickets_new(const struct clock *clock, double life_s)
{
    struct tickets *tickets = calloc(1, sizeof *tickets);
    if (tickets == NULL)
        abort();
    *tickets = (struct tickets){.clock = clock, .life_s = life_s};
    TAILQ_INIT(&tickets->kept);
    return tickets;
}

void tickets_free(struct tickets **tickets)
{
    if (tickets == NULL || *tickets == NULL)
        return;
    tickets_forget(*tickets);
    free(*tickets);
    *tickets = NULL;
}
