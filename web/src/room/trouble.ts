// What the browser and the room say when something fails, in plain sentences. Pure: the library's
// values come in as the strings and numbers they are.

/** `name` of the error that getUserMedia gave; `secure` is window.isSecureContext. */
export function microphoneSentence(name: string, secure: boolean): string {
  if (!secure)
    return (
      'Browsers share the microphone only with secure pages. ' +
      'Open this page over https, or on this machine as localhost.'
    );
  switch (name) {
    case 'NotAllowedError':
    case 'PermissionDeniedError':
    case 'SecurityError':
      return (
        'The microphone is blocked, so the bank cannot hear you. ' +
        'Allow it in your browser\u2019s site settings, then try again.'
      );
    case 'NotFoundError':
    case 'DevicesNotFoundError':
    case 'OverconstrainedError':
      return 'No microphone was found. Plug one in, then try again.';
    case 'NotReadableError':
    case 'TrackStartError':
    case 'AbortError':
      return 'Another program is using the microphone. Close it, then try again.';
    default:
      return 'The microphone could not be started, so the bank cannot hear you.';
  }
}

/** DisconnectReason of the LiveKit protocol -> why the person is no longer in the room. */
export function disconnectSentence(reason: number | undefined): string {
  switch (reason) {
    case 2:
      return 'This room was opened in another tab or window, so it was closed here.';
    case 3:
      return 'The server is shutting down, so the room was closed.';
    case 4:
      return 'You were removed from the room.';
    case 5:
    case 10:
      return 'The room was closed.';
    default:
      return 'The connection to the room was lost.';
  }
}
