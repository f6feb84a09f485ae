# Completes connect in bash, 3.2 or later:
#   eval "$(connect completion bash)"

_connect() {
    local line=${COMP_LINE:0:COMP_POINT} words cur prefix reply i
    read -ra words <<<"$line"
    case $line in
    *[[:space:]]) words+=("") ;;
    esac
    cur=${words[${#words[@]} - 1]}
    # Bash breaks words at ":" and "=" and replaces what follows the last of them.
    prefix=${cur%"${cur##*[:=]}"}
    COMPREPLY=()
    while IFS= read -r reply; do
        if [ "$reply" = ":files" ]; then
            compopt -o filenames 2>/dev/null
            while IFS= read -r reply; do
                COMPREPLY+=("$reply")
            done < <(compgen -f -- "$cur")
            return
        fi
        COMPREPLY+=("${reply#"$prefix"}")
    done < <("${words[0]}" __complete "${words[@]:1}" 2>/dev/null)
    for i in "${!COMPREPLY[@]}"; do
        COMPREPLY[i]=$(printf %q "${COMPREPLY[i]}")
    done
}

complete -F _connect connect
