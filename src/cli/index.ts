/**
 * cli: the `bale` command. `main.ts` starts it, `verb-table.ts` names the verbs, each verb is one file in verbs/. Promises:
 * it parses and prints, and exits as docker does. Does not: act; the engine does. From the bottom up: terminal (the streams,
 * and questions on them), flags (pflag's rules, the tables that verbs share), render (rows, templates, progress), verb (the
 * interface of a verb, and the parts that several share), verbs, and the start in this directory.
 */
