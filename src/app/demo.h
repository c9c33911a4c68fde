/* demo.h - the whole path on this machine: replay API, embedded broker, both services, workbooks in
 * ./scorebox-demo/. argv[0] is the verb; returns an exit code. */
#pragma once
int demo_main(int argc, char **argv);
