import '@livekit/components-styles';
import './app.css';
import { setLogLevel } from 'livekit-client';
import { createRoot } from 'react-dom/client';
import { App } from './app.js';

setLogLevel('warn');

const root = document.getElementById('root');
if (root) createRoot(root).render(<App />);
