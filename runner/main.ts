#!/usr/bin/env node
/** The drop-in of each installed node names this path; the program is in bin/. */
import './bin/eventscript.ts'
