# Completion of distlab for bash. In ~/.bashrc: eval "$(distlab completion bash)"
_distlab() {
    local line=${COMP_LINE:0:COMP_POINT}
    mapfile -t COMPREPLY < <("${1/#\~/$HOME}" completion bash --line "$line" 2>/dev/null)
    # bash parts words at = and : and replaces only what follows the last of them.
    local word=${line##*[[:blank:]]}
    COMPREPLY=("${COMPREPLY[@]#"${word%"$2"}"}")
}
complete -o nospace -F _distlab distlab
