#!/bin/sh
# Lints the perl and shell files of the project: perl -cw, shellcheck. A missing program is named, and its files are skipped.
cd "$(dirname "$0")/../.." || exit 1
failed=0

if command -v perl >/dev/null; then
	for file in runner/libexec/*.pl test/faults/*.pl; do
		said=$(perl -cw "$file" 2>&1) && [ "$said" = "$file syntax OK" ] && continue
		printf '%s\n' "$said"
		failed=1
	done
else
	echo 'perl not found: runner/libexec/*.pl and test/faults/*.pl not checked: install perl'
fi

if command -v shellcheck >/dev/null; then
	shellcheck -x -P SCRIPTDIR runner/libexec/*.sh scripts/*.sh scripts/lint/*.sh findings/*.sh \
		.ci/run .ci/packages packaging/image-steps test/lab/ctdb/cluster test/lab/ctdb/release-root test/uml/uml-init test/libexec/*.sh || failed=1
else
	echo 'shellcheck not found: shell files not checked: install shellcheck'
fi
exit $failed
