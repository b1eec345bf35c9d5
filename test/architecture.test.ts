/**
 * What the tests of the architecture say about all sources. They are one file for the test runner, so that the sources are
 * parsed once; each set has a module of its own, whose header explains how to read a failure.
 */
import './sources/architecture.ts'
import './sources/loading.ts'
import './sources/unused-exports.ts'
import './sources/words-below-doors.ts'
