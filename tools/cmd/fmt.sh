# SPDX-License-Identifier: MIT
# ./pith fmt: formats the lines that differ from the last commit, or with --all every C file.

case ${1-} in
'' | --all) ;;
--help) echo "usage: ./pith fmt [--all]"; exit 0 ;;
*) die "unknown argument \"$1\" (only --all)" ;;
esac
need_packages
. tools/cmd/format.sh
if [ "${1-}" = --all ]; then
	c_files | while IFS= read -r file; do clang-format -i "$file" || exit 1; done
else
	changed_c_files HEAD | while IFS= read -r file; do
		ranges=$(changed_lines HEAD "$file")
		# shellcheck disable=SC2086 # a list
		[ -z "$ranges" ] || clang-format -i $ranges "$file" || exit 1
	done
fi
exit $?
