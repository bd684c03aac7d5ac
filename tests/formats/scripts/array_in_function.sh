#!/bin/bash
main() {
  local -a args=(--salt abc --db hub --authMode none)
  ./hub "${args[@]}" "$@"
}
main "$@"
