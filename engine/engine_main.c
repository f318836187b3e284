/* SPDX-License-Identifier: BSD-2-Clause
 * mtalab-engine - the delivery engine and what its administrator does with it. */
#include "engine/command.h"

int main(int argc, char **argv)
{
    return command_main(argc, argv);
}
