# Completes connect in fish:
#   connect completion fish | source

function __connect_complete
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    set -l reply ($words[1] __complete $words[2..-1] "$last" 2>/dev/null)
    if test "$reply[1]" = ":files"
        __fish_complete_path "$last"
        return
    end
    printf '%s\n' $reply
end

complete -c connect -f -a '(__connect_complete)'
