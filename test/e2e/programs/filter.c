/*
 * Asks the seccomp filters of a process, which it stops for it, what they would do with calls of any architecture: PID FILE,
 * with lines ARCH NUMBER A B C. Prints the action of each, the strictest of all filters. For entries that this kernel does
 * not offer, such as those of 32 bits.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#ifndef PTRACE_SECCOMP_GET_FILTER
#define PTRACE_SECCOMP_GET_FILTER 0x420c
#endif

static struct sock_filter filters[8][65536];
static long lengths[8];

static void die(const char *what) {
  perror(what);
  exit(1);
}

/* The instructions that libseccomp writes, linux/filter.h. */
static uint32_t decide(const struct sock_filter *code, long length, const struct seccomp_data *data) {
  uint32_t a = 0, memory[16] = {0};
  for (long at = 0; at < length; at++) {
    struct sock_filter one = code[at];
    int yes;
    switch (one.code) {
      case BPF_LD | BPF_W | BPF_ABS: memcpy(&a, (const char *)data + one.k, 4); continue;
      case BPF_LD | BPF_IMM: a = one.k; continue;
      case BPF_LD | BPF_MEM: a = memory[one.k]; continue;
      case BPF_ST: memory[one.k] = a; continue;
      case BPF_ALU | BPF_AND | BPF_K: a &= one.k; continue;
      case BPF_JMP | BPF_JA: at += one.k; continue;
      case BPF_JMP | BPF_JEQ | BPF_K: yes = a == one.k; break;
      case BPF_JMP | BPF_JGT | BPF_K: yes = a > one.k; break;
      case BPF_JMP | BPF_JGE | BPF_K: yes = a >= one.k; break;
      case BPF_JMP | BPF_JSET | BPF_K: yes = (a & one.k) != 0; break;
      case BPF_RET | BPF_K: return one.k;
      default: fprintf(stderr, "instruction %x\n", one.code); exit(1);
    }
    at += yes ? one.jt : one.jf;
  }
  exit(1);
}

int main(int argc, char **argv) {
  int count = 0, pid = argc > 2 ? atoi(argv[1]) : 0;
  unsigned long arch, number, a, b, c;
  if (ptrace(PTRACE_ATTACH, pid, 0, 0)) die("attach");
  waitpid(pid, 0, __WALL);
  while (count < 8 && (lengths[count] = ptrace(PTRACE_SECCOMP_GET_FILTER, pid, (void *)(long)count, filters[count])) > 0) count++;
  if (count == 0) die("no filter");
  ptrace(PTRACE_DETACH, pid, 0, 0);
  FILE *calls = fopen(argv[2], "r");
  while (calls && fscanf(calls, "%lu %lu %lu %lu %lu", &arch, &number, &a, &b, &c) == 5) {
    struct seccomp_data data = {.nr = (int)number, .arch = (uint32_t)arch, .args = {a, b, c, -1, -1, -1}};
    uint32_t action = SECCOMP_RET_ALLOW;
    for (int one = 0; one < count; one++) {
      uint32_t here = decide(filters[one], lengths[one], &data);
      if ((int32_t)(here & SECCOMP_RET_ACTION_FULL) < (int32_t)(action & SECCOMP_RET_ACTION_FULL)) action = here;
    }
    printf("%u\n", action);
  }
  return 0;
}
