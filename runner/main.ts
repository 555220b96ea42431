#!/usr/bin/env node
/** The command's path, which each installed node's drop-in has; the program is in bin/. */
import './bin/eventscript.ts'
