#compdef connect
# Completes connect in zsh:
#   eval "$(connect completion zsh)"
# or as a file _connect in a folder of $fpath.

_connect() {
    local -a reply
    reply=("${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ "${reply[1]}" == ":files" ]]; then
        _files
        return
    fi
    reply=("${(@)reply:#}")
    compadd -a reply
}

if [[ "${funcstack[1]}" == "_connect" ]]; then
    _connect
else
    compdef _connect connect
fi
