#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The completion for bash knows commands, options and names in an archive.
. "${0%/*}/../lib/tap.sh"
need 'needs bash' bash -c :

PATH=$BUILDDIR:$PATH
export PATH
mkdir -p src/dir
echo 1 >src/dir/file-one
echo 2 >'src/dir/file two'
"$DESFS_PACK" -q src ar

# completes WORD... -- WANTED...: the last word becomes the wanted ones.
completes()
{
	cat >script <<'END'
compopt() { :; }
. "$SRCDIR/contrib/completion/$1"
fn=$2
shift 2
COMP_WORDS=()
while [ "$1" != -- ]; do
	COMP_WORDS+=("$1")
	shift
done
shift
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
$fn
for w in "$@"; do
	found=
	for r in "${COMPREPLY[@]}"; do
		[[ $r == "$w" ]] && found=1
	done
	[[ $found ]] || { echo "no $w in: ${COMPREPLY[*]}"; exit 1; }
done
END
	bash script "$@"
}
t 'commands' completes desfs _desfs desfs ve -- verify version
t 'commands of two words' completes desfs _desfs desfs ch -- check-conf
t 'options of all that opens archives' completes desfs _desfs desfs cat --end -- \
	--endpoint=
t 'their options' completes desfs _desfs desfs verify --d -- --deep
t 'options with an argument' completes desfs _desfs desfs verify --s -- --salvage=
t 'options of desfs' completes desfs _desfs desfs --v -- --version --verbose
t 'names of commands after help' completes desfs _desfs desfs help m -- mount
t 'what to do with caches' completes desfs _desfs desfs cache v -- verify
t 'what to do with tombstones' completes desfs _desfs desfs tombstone a -- \
	add aggregate
t 'names to be deleted' completes desfs _desfs desfs tombstone add ar dir/f -- \
	dir/file-one
t 'archives' completes desfs _desfs desfs ls a -- ar
t 'names in archives' completes desfs _desfs desfs cat ar d -- dir/
t 'names in directories' completes desfs _desfs desfs cat ar dir/f -- \
	dir/file-one 'dir/file two'
t 'options of desfs-pack' completes desfs-pack _desfs_pack desfs-pack --mi -- \
	--mirror
