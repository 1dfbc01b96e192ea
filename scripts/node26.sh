# Sourced by ./dev and ./holdfast with $root set. Sets $node26 to a Node of major version 26 or newer: the machine's own,
# else the one that npm put into node_modules (the optional dependencies of app/package.json); empty when there is none.

node26=
case "$(node --version 2>/dev/null)" in
  v2[6-9].* | v[3-9][0-9].*) node26=$(command -v node) ;;
  *)
    for candidate in "$root"/node_modules/node-*/bin/node; do
      if [ -x "$candidate" ]; then
        node26=$candidate
        break
      fi
    done
    ;;
esac
